"""How an export becomes an Excel workbook that a person can work in."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_assets.core.export import ExportTable
from llm_assets.core.workbook_layout import MAX_COLUMNS, MAX_ROWS, decide_row_height, decide_widths
from llm_assets.errors import ConfigError
from llm_assets.gateways.tables.whole_file import open_whole
from llm_assets.gateways.tables.workbook_cells import CellStyles, SheetRows
from llm_assets.gateways.tables.workbook_file import write_workbook_file
from llm_assets.gateways.tables.written_export import WrittenExport

if TYPE_CHECKING:
    from openpyxl.cell import Cell

SHEET = "rows"
SAMPLE_ROWS = 1000
"""So many rows decide how wide the columns are."""


def write_workbook(path: Path, table: ExportTable) -> WrittenExport:
    """Write one sheet: a header that stays in sight, a filter, and a row for each row.

    Numbers, booleans and days keep their types; lists and objects are JSON text. Text is never run: what looks
    like a formula is marked as text. Longer text than a cell can hold is cut, with a mark, and what XML cannot spell
    becomes U+FFFD. The file appears whole or not at all; `StorageError` where it cannot be written, `ConfigError`
    where a sheet has no room for the table.
    """
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    _check_size(table)
    columns = table.meta.columns
    letters = [get_column_letter(place) for place in range(1, len(columns) + 1)]
    widths = decide_widths(columns, islice(table.records, SAMPLE_ROWS))
    with open_whole(path) as stream:
        workbook = Workbook(write_only=True)
        sheet = workbook.create_sheet(SHEET)
        _lay_out(sheet, letters, widths, n_rows=len(table.records))
        rows = SheetRows(columns, letters, _build_styles(sheet))
        drawn = _draw_rows(table, rows, widths)
        write_workbook_file(workbook, drawn, stream, n_rows=len(table.records))
    return WrittenExport(
        n_rows=len(table.records),
        n_formulas=rows.n_formulas,
        n_cut=rows.n_cut,
        n_replaced=rows.n_replaced,
    )


def _check_size(table: ExportTable) -> None:
    n_rows, n_columns = len(table.records) + 1, len(table.meta.columns)
    if n_rows > MAX_ROWS or n_columns > MAX_COLUMNS:
        raise ConfigError(
            f"A sheet of a workbook holds {MAX_ROWS:,} rows and {MAX_COLUMNS:,} columns, and this export has "
            f"{n_rows:,} and {n_columns:,}, its header included.",
            remedy="Take `xlsx` out of `export.formats`, or make smaller batches.",
        )


def _lay_out(
    sheet: Any,  # noqa: ANN401 - openpyxl declares a write-only sheet as less than it is
    letters: Sequence[str],
    widths: Sequence[int],
    *,
    n_rows: int,
) -> None:
    for letter, width in zip(letters, widths, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{letters[-1]}{n_rows + 1}"


def _draw_rows(table: ExportTable, rows: SheetRows, widths: Sequence[int]) -> Iterator[str]:
    names = (column.name for column in table.meta.columns)
    widths_by_name = dict(zip(names, widths, strict=True))
    yield rows.render_header()
    for row, record in enumerate(table.records, start=2):
        height = decide_row_height(record.values, widths_by_name)
        yield rows.render_row(row, record.values, height=height)


def _build_styles(sheet: Any) -> CellStyles:  # noqa: ANN401 - see `_lay_out`
    from openpyxl.styles import Font, PatternFill

    header = _build_cell(sheet, wraps=True)
    header.font = Font(bold=True)
    header.fill = PatternFill("solid", fgColor="E7ECF2")
    quoted = _build_cell(sheet, wraps=True)
    quoted.quotePrefix = True
    return CellStyles(
        header=header.style_id,
        text=_build_cell(sheet, wraps=True).style_id,
        quoted=quoted.style_id,
        plain=_build_cell(sheet).style_id,
        date=_build_cell(sheet, number_format="yyyy-mm-dd").style_id,
        datetime=_build_cell(sheet, number_format="yyyy-mm-dd hh:mm:ss").style_id,
    )


def _build_cell(
    sheet: Any,  # noqa: ANN401 - see `_lay_out`
    *,
    wraps: bool = False,
    number_format: str = "General",
) -> "Cell":
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    cell = WriteOnlyCell(sheet)
    cell.alignment = Alignment(vertical="top", wrap_text=wraps)
    cell.number_format = number_format
    return cell
