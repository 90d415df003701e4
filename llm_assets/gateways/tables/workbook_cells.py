"""How a value becomes a cell of a sheet: with its type, harmless, and no longer than a cell can be.

The cells are written as XML here. openpyxl, which writes everything else of a workbook, takes 20 µs of CPU for a
cell; this takes 5, with everything that is decided about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from xml.sax.saxutils import escape

from pydantic import JsonValue

from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.export_values import find_exact_float, parse_date, parse_datetime
from llm_assets.core.fingerprint import render_json
from llm_assets.core.safe_cells import (
    cut_spelled,
    is_formula,
    render_cell,
    replace_outside_xml,
    spell_for_workbook,
)

EXACT_INTEGERS = 2**53
"""A workbook keeps every number as a float; whole numbers beyond this lose digits, so they are kept as text."""
FIRST_DAY = date(1900, 3, 1)
"""Excel takes 1900 for a leap year, so the days before this one have no number that all programs agree on."""
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's days have no offset


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStyles:
    """The numbers under which a workbook knows its styles."""

    header: int
    text: int
    quoted: int
    """Of text that is marked as such, as if typed with an apostrophe."""
    plain: int
    date: int
    datetime: int


class SheetRows:
    """The rows of one sheet as XML, and what was done to their cells."""

    def __init__(
        self, columns: Sequence[ExportColumn], letters: Sequence[str], styles: CellStyles
    ) -> None:
        self._columns = tuple(zip(columns, letters, strict=True))
        self._styles = styles
        self.n_formulas = 0
        self.n_cut = 0
        self.n_replaced = 0

    def render_header(self) -> str:
        """The first row: the names of the columns."""
        style = self._styles.header
        return _render_row(
            1,
            [
                f'<c r="{at}1"{self._render_text(column.name, style)}'
                for column, at in self._columns
            ],
        )

    def render_row(self, row: int, values: Mapping[str, JsonValue], *, height: int | None) -> str:
        """A row with a cell for every value that is there; `height` is in points."""
        cells = [
            f'<c r="{at}{row}"{self._render(value, column)}'
            for column, at in self._columns
            if (value := values.get(column.name)) is not None and value != ""
        ]
        return _render_row(row, cells, height=height)

    def _render(self, value: JsonValue, column: ExportColumn) -> str:
        """The end of a cell's XML, after its place."""
        match value:
            case bool():
                return f' s="{self._styles.plain}" t="b"><v>{value:d}</v></c>'
            case int() if abs(value) >= EXACT_INTEGERS:
                return self._render_text(str(value), self._styles.text)
            case int() | float():
                return _render_number(render_json(value), self._styles.plain)
            case str() if column.kind in ("date", "datetime"):
                return self._render_moment(value)
            case str() if (
                column.kind == "decimal" and (number := find_exact_float(value)) is not None
            ):
                return _render_number(repr(number), self._styles.plain)
            case _:
                return self._render_text(render_cell(value))

    def _render_moment(self, text: str) -> str:
        """A day or a moment without an offset, whole seconds; a workbook has no others, so they stay text."""
        if (day := parse_date(text)) is not None and day >= FIRST_DAY:
            return _render_number(str((day - DAY_ZERO.date()).days), self._styles.date)
        moment = parse_datetime(text)
        if (
            moment is None
            or moment.tzinfo is not None
            or moment.microsecond
            or moment.date() < FIRST_DAY
        ):
            return self._render_text(text)
        return _render_number(repr((moment - DAY_ZERO) / timedelta(days=1)), self._styles.datetime)

    def _render_text(self, text: str, style: int | None = None) -> str:
        """The text in this style, else in one that suits it. It is always written as a text, so nothing is run."""
        held = replace_outside_xml(text)
        spelled = spell_for_workbook(held)
        kept = cut_spelled(spelled, n_characters=len(text))
        is_risky = is_formula(held)
        self.n_replaced += held != text
        self.n_cut += kept != spelled
        self.n_formulas += is_risky
        if style is None:
            style = self._styles.quoted if is_risky else self._styles.text
        return f' s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(kept)}</t></is></c>'


def _render_row(row: int, cells: Sequence[str], *, height: int | None = None) -> str:
    how_high = "" if height is None else f' ht="{height}" customHeight="1"'
    return f'<row r="{row}"{how_high}>{"".join(cells)}</row>'


def _render_number(spelled: str, style: int) -> str:
    return f' s="{style}"><v>{spelled}</v></c>'
