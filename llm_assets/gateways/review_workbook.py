"""How a review becomes a workbook that a person can work in.

The sheet in sight has one row an item, and lets nobody change anything but the output, the decision, the note and the
reviewer. The protection has no password: it keeps from slips, not from people. A hidden sheet remembers what each
item was when the workbook was made.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_assets.core.corrections import DECISIONS
from llm_assets.core.review_book import BOOK_VERSION, FIRST_ROW, ReviewBook
from llm_assets.core.review_cells import Cell, build_cell, render_plain, spell_text
from llm_assets.core.review_columns import ReviewColumn
from llm_assets.core.safe_cells import is_formula
from llm_assets.core.workbook_layout import (
    LINE_HEIGHT,
    MAX_COLUMNS,
    MAX_LINES,
    MAX_ROWS,
    MAX_WIDTH,
    MIN_WIDTH,
)
from llm_assets.errors import InputError
from llm_assets.gateways.tables.whole_file import open_whole
from llm_assets.gateways.tables.workbook_file import write_filled_workbook_file

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell as SheetCell
    from openpyxl.worksheet.datavalidation import DataValidation

SHEET = "review"
MEMORY_SHEET = "_llm_assets"
CHOICES_SHEET = "_choices"
MARK = "llm-assets review"
"""What the first cell of the hidden sheet says."""
CHUNK_CHARS = 15_000
"""A text in the hidden sheet goes on in the next cell; spelling its characters may double it, and a cell holds 32,767."""
ID_WIDTH = 14
"""Of ids and hashes, in characters: enough to see that they are there."""
PROMPT_CHARS = 255
"""What a spreadsheet program shows beside a cell at most."""
HEADER_STYLE, LOCKED_STYLE = "review header", "review locked"
OPEN_STYLE, OPEN_TEXT_STYLE = "review open", "review open text"


def write_review_workbook(path: Path, book: ReviewBook) -> None:
    """Write a review; the same one gives the same bytes.

    The file appears whole or not at all; `StorageError` where it cannot be written, `InputError` where a sheet has no
    room for it.
    """
    from openpyxl import Workbook

    _check_size(book)
    with open_whole(path) as stream:
        workbook = Workbook(write_only=True)
        _add_review_sheet(workbook, book)
        _add_memory_sheet(workbook, book)
        _add_choices_sheet(workbook, book.meta.columns)
        write_filled_workbook_file(workbook, stream)


def _check_size(book: ReviewBook) -> None:
    if len(book.rows) + 1 > MAX_ROWS or len(book.meta.columns) > MAX_COLUMNS:
        raise InputError(
            f"A sheet of a workbook holds {MAX_ROWS:,} rows and {MAX_COLUMNS:,} columns, and this review has "
            f"{len(book.rows) + 1:,} and {len(book.meta.columns):,}, its header included.",
            remedy="Make smaller batches.",
        )


def _add_review_sheet(workbook: "Workbook", book: ReviewBook) -> None:
    from openpyxl.utils import get_column_letter

    sheet: Any = workbook.create_sheet(SHEET)
    columns = book.meta.columns
    letters = [get_column_letter(place) for place in range(1, len(columns) + 1)]
    last_row = max(len(book.rows) + 1, FIRST_ROW)
    for letter, width in zip(letters, _decide_widths(book), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:{letters[-1]}{last_row}"
    sheet.protection.sheet = True
    # Of what is protected, these stay allowed.
    sheet.protection.autoFilter = sheet.protection.formatColumns = False
    sheet.protection.formatRows = False
    for validation in _draw_validations(columns, letters, last_row=last_row):
        sheet.data_validations.append(validation)
    _add_styles(workbook)
    styles = [_decide_style(column) for column in columns]
    sheet.append([_build_plain(sheet, column.name, style=HEADER_STYLE) for column in columns])
    for row, cells in enumerate(book.rows, start=FIRST_ROW):
        if _is_high(cells):
            sheet.row_dimensions[row].height = MAX_LINES * LINE_HEIGHT
        sheet.append(
            [
                _build_plain(sheet, cell, style=style)
                for cell, style in zip(cells, styles, strict=True)
            ]
        )


def _decide_widths(book: ReviewBook) -> Iterator[int]:
    for place, column in enumerate(book.meta.columns):
        if column.role in ("work_id", "input_sha256"):
            yield ID_WIDTH
            continue
        texts = [column.name, *(render_plain(cells[place]) for cells in book.rows)]
        longest = max(len(line) for text in texts for line in (text.splitlines() or [""]))
        yield min(max(longest + 4, MIN_WIDTH), MAX_WIDTH)


def _is_high(cells: Sequence[Cell]) -> bool:
    return any(len(cell) > MAX_LINES * MAX_WIDTH for cell in cells if isinstance(cell, str))


def _draw_validations(
    columns: Sequence[ReviewColumn], letters: Sequence[str], *, last_row: int
) -> Iterator["DataValidation"]:
    lists = {id(column): at for at, column in enumerate(_list_choosing(columns), start=1)}
    for column, letter in zip(columns, letters, strict=True):
        if not column.is_editable:
            continue
        validation = _build_validation(column, list_number=lists.get(id(column)))
        validation.add(f"{letter}{FIRST_ROW}:{letter}{last_row}")
        yield validation


def _build_validation(column: ReviewColumn, *, list_number: int | None) -> "DataValidation":
    """What a spreadsheet program lets a person write into a column; what it lets pass is checked on the way back."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    rule: dict[str, Any] = {}
    if list_number is not None:
        letter, n_choices = get_column_letter(list_number), len(_list_choices(column))
        rule = {"type": "list", "formula1": f"{CHOICES_SHEET}!${letter}$1:${letter}${n_choices}"}
    elif column.kind in ("integer", "number"):
        kind = "whole" if column.kind == "integer" else "decimal"
        rule = {"type": kind, **_build_bounds(column.minimum, column.maximum)}
    return DataValidation(
        **rule,
        allow_blank=True,
        showErrorMessage=bool(rule),
        showInputMessage=column.about is not None,
        errorTitle=column.name[:32],
        error="This column takes other values."[:PROMPT_CHARS],
        promptTitle=column.name[:32] if column.about else None,
        prompt=column.about[:PROMPT_CHARS] if column.about else None,
    )


def _build_bounds(minimum: float | None, maximum: float | None) -> dict[str, str]:
    if minimum is not None and maximum is not None:
        return {"operator": "between", "formula1": repr(minimum), "formula2": repr(maximum)}
    if maximum is not None:
        return {"operator": "lessThanOrEqual", "formula1": repr(maximum)}
    lowest = -1e300 if minimum is None else minimum
    return {"operator": "greaterThanOrEqual", "formula1": repr(lowest)}


def _list_choosing(columns: Iterable[ReviewColumn]) -> list[ReviewColumn]:
    return [column for column in columns if column.is_editable and _list_choices(column)]


def _list_choices(column: ReviewColumn) -> list[Cell]:
    if column.role == "decision":
        return list(DECISIONS)
    if column.kind == "boolean":
        return [True, False]
    return [build_cell(choice) for choice in column.choices]


def _add_choices_sheet(workbook: "Workbook", columns: Sequence[ReviewColumn]) -> None:
    """The lists behind the drop-downs: written out in place, they could hold neither commas nor many values."""
    sheet: Any = workbook.create_sheet(CHOICES_SHEET)
    sheet.sheet_state = "hidden"
    lists = [_list_choices(column) for column in _list_choosing(columns)]
    for row in range(max(map(len, lists), default=0)):
        sheet.append([_build_plain(sheet, c[row]) if row < len(c) else None for c in lists])


def _add_memory_sheet(workbook: "Workbook", book: ReviewBook) -> None:
    sheet: Any = workbook.create_sheet(MEMORY_SHEET)
    sheet.sheet_state = "hidden"
    sheet.protection.sheet = True
    sheet.append([MARK, BOOK_VERSION])
    for value in (book.meta, *book.items):
        # Plain ASCII, which every program keeps as it is.
        text = value.model_dump_json(ensure_ascii=True)
        sheet.append([_build_plain(sheet, chunk) for chunk in _cut(text)])


def _cut(text: str) -> Iterator[str]:
    return (text[at : at + CHUNK_CHARS] for at in range(0, len(text), CHUNK_CHARS))


def _build_plain(
    sheet: Any,  # noqa: ANN401 - openpyxl declares a write-only sheet as less than it is
    value: Cell,
    *,
    style: str | None = None,
) -> "SheetCell":
    """A cell with a value; text is always written as text, so nothing is run."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet)
    if style is not None:
        cell.style = style
    if isinstance(value, str):
        cell.value = spell_text(value)
        cell.data_type = "s"
        if is_formula(value):
            cell.quotePrefix = True
    else:
        cell.value = value
    return cell


def _add_styles(workbook: "Workbook") -> None:
    """How the cells of the sheet look, and which of them a person can change.

    They have names: to put a style together for every cell takes 30 µs more each.
    """
    from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill, Protection

    top = Alignment(vertical="top", wrap_text=True)
    header = PatternFill("solid", fgColor="D5DDE8")
    locked = PatternFill("solid", fgColor="F2F2F2")
    is_open = Protection(locked=False)
    for style in (
        NamedStyle(HEADER_STYLE, font=Font(bold=True), fill=header, alignment=top),
        NamedStyle(LOCKED_STYLE, fill=locked, alignment=top),
        NamedStyle(OPEN_STYLE, alignment=top, protection=is_open),
        # What is typed here stays the text it is: 007 no number, 1-2 no day, =x no formula.
        NamedStyle(OPEN_TEXT_STYLE, alignment=top, protection=is_open, number_format="@"),
    ):
        workbook.add_named_style(style)


def _decide_style(column: ReviewColumn) -> str:
    if not column.is_editable:
        return LOCKED_STYLE
    return OPEN_STYLE if column.kind in ("integer", "number", "boolean") else OPEN_TEXT_STYLE
