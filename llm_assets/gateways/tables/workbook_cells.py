"""How a value becomes a cell of a workbook: with its type, harmless, and no longer than a cell can be."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pydantic import JsonValue

from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.export_values import (
    find_exact_float,
    parse_date,
    parse_datetime,
)
from llm_assets.core.fingerprint import render_json
from llm_assets.core.safe_cells import (
    cut_spelled,
    is_formula,
    render_cell,
    replace_outside_xml,
    spell_for_workbook,
)

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

EXACT_INTEGERS = 2**53
"""A workbook keeps every number as a float; whole numbers beyond this lose digits, so they are kept as text."""
FIRST_DAY = date(1900, 3, 1)
"""Excel takes 1900 for a leap year, so the days before this one have no number that all programs agree on."""


class WorkbookCells:
    """The cells of one sheet, and what was done to them.

    Each kind of cell is one object that is filled again and again, so a cell has to be written before the next
    one is drawn. A new object for each would take longer than the writing.
    """

    def __init__(self, sheet: "Worksheet") -> None:
        self._plain = _build_cell(sheet)
        self._date = _build_cell(sheet, number_format="yyyy-mm-dd")
        self._datetime = _build_cell(sheet, number_format="yyyy-mm-dd hh:mm:ss")
        self._text = _build_cell(sheet, is_text=True)
        self._quoted = _build_quoted_cell(sheet)
        self._header = _build_header_cell(sheet)
        self.n_formulas = 0
        self.n_cut = 0
        self.n_replaced = 0

    def draw_header(self, columns: Sequence[ExportColumn]) -> "Iterator[Cell]":
        """The names of the columns."""
        for column in columns:
            yield self._fill_text(column.name, self._header)

    def draw_row(
        self, columns: Sequence[ExportColumn], values: Mapping[str, JsonValue]
    ) -> "Iterator[Cell | None]":
        """The cells of a row, None where there is no value."""
        for column in columns:
            value = values.get(column.name)
            yield None if value is None or value == "" else self._fill(value, column)

    def _fill(self, value: JsonValue, column: ExportColumn) -> "Cell":
        match value:
            case bool():
                self._plain.value = value
                return self._plain
            case int() if abs(value) >= EXACT_INTEGERS:
                return self._fill_text(str(value), self._text)
            case int() | float():
                return self._fill_number(value)
            case str() if column.kind in ("date", "datetime"):
                return self._fill_moment(value)
            case str() if (
                column.kind == "decimal" and (number := find_exact_float(value)) is not None
            ):
                return self._fill_number(number)
            case _:
                return self._fill_text(render_cell(value))

    def _fill_number(self, number: float) -> "Cell":
        # As text, because openpyxl writes the first 16 digits of a number and some floats take 17.
        self._plain.value = render_json(number)
        self._plain.data_type = "n"
        return self._plain

    def _fill_moment(self, text: str) -> "Cell":
        """A day or a moment without an offset, whole seconds; a workbook has no others, so they stay text."""
        if (day := parse_date(text)) is not None and day >= FIRST_DAY:
            self._date.value = day
            return self._date
        moment = parse_datetime(text)
        if (
            moment is None
            or moment.tzinfo is not None
            or moment.microsecond
            or moment.date() < FIRST_DAY
        ):
            return self._fill_text(text)
        self._datetime.value = moment
        return self._datetime

    def _fill_text(self, text: str, cell: "Cell | None" = None) -> "Cell":
        """The text in this cell, else in one that suits it."""
        held = replace_outside_xml(text)
        spelled = spell_for_workbook(held)
        kept = cut_spelled(spelled, n_characters=len(text))
        is_risky = is_formula(held)
        self.n_replaced += held != text
        self.n_cut += kept != spelled
        self.n_formulas += is_risky
        filled = cell or (self._quoted if is_risky else self._text)
        filled.value = kept
        filled.data_type = "s"  # openpyxl takes `=…` for a formula and `#N/A` for an error
        return filled


def _build_cell(
    sheet: "Worksheet", *, is_text: bool = False, number_format: str = "General"
) -> "Cell":
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    cell = WriteOnlyCell(sheet)
    cell.alignment = Alignment(vertical="top", wrap_text=is_text)
    cell.number_format = number_format
    return cell


def _build_quoted_cell(sheet: "Worksheet") -> "Cell":
    """As if typed with an apostrophe before it: a text stays one also where a person edits the cell."""
    cell = _build_cell(sheet, is_text=True)
    cell.quotePrefix = True
    return cell


def _build_header_cell(sheet: "Worksheet") -> "Cell":
    from openpyxl.styles import Font, PatternFill

    cell = _build_cell(sheet, is_text=True)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="E7ECF2")
    return cell
