"""What goes into a review workbook, what it remembers of the items it was made from, and what comes back in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from llm_assets.core.export import read_path
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import BatchKey, Sha256, TaskName, WorkId
from llm_assets.core.item_identity import KeyKind
from llm_assets.core.output_forms import OutputForm
from llm_assets.core.review_cells import Cell, build_cell, render_plain
from llm_assets.core.review_columns import ReviewColumn, build_review_columns
from llm_assets.core.review_queue import ReviewItem, ReviewQueue
from llm_assets.core.values import FrozenModel

BOOK_VERSION = 1
HEADER_ROW = 1
FIRST_ROW = 2
"""The sheet's rows are counted from 1."""


class ReviewBookMeta(FrozenModel):
    """What a workbook is about."""

    format_version: Literal[1] = 1
    task: TaskName
    batch: BatchKey
    key_kind: KeyKind
    input_columns: tuple[str, ...]
    """The columns that the model saw; `input_sha256` is of their cells."""
    columns: tuple[ReviewColumn, ...]
    """Of the sheet, in order."""
    n_items: int


class ExportedItem(FrozenModel):
    """One item as it was when the workbook was made."""

    work_id: WorkId
    key: str
    input_sha256: Sha256
    output: dict[str, JsonValue] | None
    """None where there was no accepted one."""
    locked_sha256: Sha256
    """Of what stood in the row's locked cells: a row whose cells were mixed up with another's is not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBook:
    """A workbook to be written."""

    meta: ReviewBookMeta
    items: tuple[ExportedItem, ...]
    rows: tuple[tuple[Cell, ...], ...]
    """One an item, from `FIRST_ROW` on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledRow:
    """A row of the sheet that came back."""

    number: int
    """In the sheet, from 1."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledBook:
    """A workbook that came back."""

    file: str
    """Its name, for messages and corrections."""
    sha256: Sha256
    """Of its bytes."""
    sheet: str
    """The name of the sheet that people fill in."""
    meta: ReviewBookMeta
    items: tuple[ExportedItem, ...]
    header: tuple[Cell, ...]
    rows: tuple[FilledRow, ...]


def build_review_book(
    queue: ReviewQueue, forms: Sequence[OutputForm], *, reviewer: str = ""
) -> ReviewBook:
    """The workbook of a queue; `reviewer` is filled in already where it is known who looks."""
    columns = build_review_columns(queue.meta.shown_columns, forms)
    rows = tuple(tuple(_draw_cells(item, columns, reviewer=reviewer)) for item in queue.records)
    return ReviewBook(
        meta=ReviewBookMeta(
            task=queue.meta.task,
            batch=queue.meta.batch,
            key_kind=queue.meta.key_kind,
            input_columns=queue.meta.input_columns,
            columns=columns,
            n_items=len(rows),
        ),
        items=tuple(
            ExportedItem(
                work_id=item.work_id,
                key=item.key,
                input_sha256=item.input_sha256,
                output=item.output,
                locked_sha256=hash_locked(cells, columns),
            )
            for item, cells in zip(queue.records, rows, strict=True)
        ),
        rows=rows,
    )


def hash_locked(cells: Sequence[Cell], columns: Sequence[ReviewColumn]) -> Sha256:
    """The hash of a row's locked cells, equal for every program's form of them."""
    return fingerprint(
        [
            render_plain(cell)
            for cell, column in zip(cells, columns, strict=True)
            if not column.is_editable
        ]
    )


def _draw_cells(
    item: ReviewItem, columns: Sequence[ReviewColumn], *, reviewer: str
) -> Iterator[Cell]:
    for column in columns:
        match column.role:
            case "work_id":
                yield item.work_id
            case "input_sha256":
                yield item.input_sha256
            case "input":
                yield build_cell(read_path(item.input, column.path))
            case "output":
                yield build_cell(read_path(item.output, column.path))
            case "gate_value":
                yield build_cell(item.value)
            case "why":
                yield build_cell(item.why)
            case "reviewer":
                yield reviewer or None
            case "decision" | "note":
                yield None
