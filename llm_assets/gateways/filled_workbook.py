"""What a review workbook holds when it comes back, whatever program saved it."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from llm_assets.core.ids import Sha256
from llm_assets.core.review_book import (
    BOOK_VERSION,
    ExportedItem,
    FilledBook,
    FilledRow,
    ReviewBookMeta,
)
from llm_assets.core.review_cells import Cell
from llm_assets.errors import InputError
from llm_assets.gateways.review_workbook import MARK, MEMORY_SHEET, SHEET
from llm_assets.gateways.tables.typed_cells import build_typed_cell, build_whole_number

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

NOT_OURS = "Put in the workbook that `llm-assets review export` wrote, saved as .xlsx."

Model = TypeVar("Model", bound=BaseModel)


def read_review_workbook(path: Path, *, shown: str) -> FilledBook:
    """Read a workbook that a person filled in; `shown` is what messages call it.

    `InputError` where it cannot be read, is no review, or was made by a newer version of this program.
    """
    content = _read_bytes(path, shown=shown)
    with _open_workbook(content, shown=shown) as workbook:
        names = workbook.sheet_names
        if MEMORY_SHEET not in names or SHEET not in names:
            missing = next(name for name in (MEMORY_SHEET, SHEET) if name not in names)
            raise _build_foreign_error(shown, f"it has no sheet {missing!r}")
        memory = _read_cells(workbook, MEMORY_SHEET)
        rows = _read_cells(workbook, SHEET)
    texts = _read_memory(memory, shown=shown)
    meta = _parse(ReviewBookMeta, texts[0], shown=shown)
    items = tuple(_parse(ExportedItem, text, shown=shown) for text in texts[1:])
    if len(items) != meta.n_items:
        raise _build_foreign_error(shown, f"its sheet {MEMORY_SHEET!r} is not whole")
    return FilledBook(
        file=path.name,
        sha256=Sha256(hashlib.sha256(content).hexdigest()),
        sheet=SHEET,
        meta=meta,
        items=items,
        header=rows[0] if rows else (),
        rows=tuple(
            FilledRow(number=number, cells=cells) for number, cells in enumerate(rows[1:], start=2)
        ),
    )


def _read_bytes(path: Path, *, shown: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InputError(
            f"The review {shown} cannot be read: {exc.strerror or exc}.",
            remedy="Check the path and the file's permissions.",
        ) from exc


@contextmanager
def _open_workbook(content: bytes, *, shown: str) -> "Generator[CalamineWorkbook]":
    """A sheet is read when it is asked for, so what is wrong with it is told inside, too."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_filelike(BytesIO(content)) as workbook:
            yield workbook
    except PasswordError as exc:
        raise InputError(
            f"The review {shown} is protected by a password; nothing was taken in.",
            remedy="Save a copy without a password.",
        ) from exc
    except CalamineError as exc:
        raise _build_foreign_error(shown, f"it is no readable workbook: {exc}") from exc


def _read_cells(workbook: "CalamineWorkbook", name: str) -> list[tuple[Cell, ...]]:
    """All rows from the first one on, with the empty ones, so that a place here is the place in the sheet."""
    rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return [tuple(map(_build_cell, row)) for row in rows]


def _build_cell(value: object) -> Cell:
    if value is None or value == "":
        return None
    if isinstance(value, float):
        return build_whole_number(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time | timedelta | str | bool | int):
        return build_typed_cell(value)
    raise TypeError(f"python-calamine reads a cell as {type(value).__name__}.")


def _read_memory(memory: Sequence[Sequence[Cell]], *, shown: str) -> list[str]:
    """The texts of the hidden sheet: what the workbook is about, then its items."""
    first = [*memory[0], None, None] if memory else [None, None]
    if first[0] != MARK:
        raise _build_foreign_error(shown, f"its sheet {MEMORY_SHEET!r} is not this program's")
    version = first[1]
    if not isinstance(version, int) or isinstance(version, bool):
        raise _build_foreign_error(shown, f"its sheet {MEMORY_SHEET!r} is not whole")
    if version > BOOK_VERSION:
        raise InputError(
            f"The review {shown} has format {version}; this version of llm-assets reads {BOOK_VERSION}. "
            "Nothing was taken in.",
            remedy="Use the version of llm-assets that wrote it, or export the queue again.",
        )
    texts = ["".join(str(cell) for cell in row if cell is not None) for row in memory[1:]]
    filled = [text for text in texts if text]
    if not filled:
        raise _build_foreign_error(shown, f"its sheet {MEMORY_SHEET!r} is not whole")
    return filled


def _parse(model: type[Model], text: str, *, shown: str) -> Model:
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        raise _build_foreign_error(shown, f"its sheet {MEMORY_SHEET!r} was changed") from exc


def _build_foreign_error(shown: str, why: str) -> InputError:
    return InputError(
        f"{shown} is no review of this program: {why}. Nothing was taken in.", remedy=NOT_OURS
    )
