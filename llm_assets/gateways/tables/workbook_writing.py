"""How an export becomes an Excel workbook that a person can work in, with the same bytes each time."""

from datetime import datetime
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from llm_assets.core.export import ExportTable
from llm_assets.core.workbook_layout import MAX_COLUMNS, MAX_ROWS, decide_row_height, decide_widths
from llm_assets.errors import ConfigError
from llm_assets.gateways.tables.whole_file import open_whole
from llm_assets.gateways.tables.workbook_cells import WorkbookCells
from llm_assets.gateways.tables.written_export import WrittenExport

if TYPE_CHECKING:
    from _typeshed import SizedBuffer, StrPath
    from openpyxl import Workbook

SHEET = "rows"
_NO_TIME = datetime(1980, 1, 1)  # noqa: DTZ001 - openpyxl takes times in UTC without saying so
"""Stands where the format asks for a time: the earliest that an archive knows."""


def write_workbook(path: Path, table: ExportTable) -> WrittenExport:
    """Write one sheet: a header that stays in sight, a filter, and a row for each row.

    Numbers, booleans and days keep their types; lists and objects are JSON text. Text is never run: what looks
    like a formula is marked as text. Longer text than a cell can hold is cut, with a mark, and what XML cannot spell
    becomes U+FFFD. The file appears whole or not at all; `StorageError` where it cannot be written, `ConfigError`
    where a sheet has no room for the table.
    """
    from openpyxl import Workbook

    _check_size(table)
    with open_whole(path) as stream:
        workbook = Workbook(write_only=True)
        sheet: Any = workbook.create_sheet(SHEET)
        cells = WorkbookCells(sheet)
        try:
            _write_sheet(sheet, table, cells)
        finally:
            sheet.close()
        _save(workbook, stream)
    return WrittenExport(
        n_rows=len(table.records),
        n_formulas=cells.n_formulas,
        n_cut=cells.n_cut,
        n_replaced=cells.n_replaced,
    )


def _check_size(table: ExportTable) -> None:
    n_rows, n_columns = len(table.records) + 1, len(table.meta.columns)
    if n_rows > MAX_ROWS or n_columns > MAX_COLUMNS:
        raise ConfigError(
            f"A sheet of a workbook holds {MAX_ROWS:,} rows and {MAX_COLUMNS:,} columns, and this export has "
            f"{n_rows:,} and {n_columns:,}, its header included.",
            remedy="Take `xlsx` out of `export.formats`, or make smaller batches.",
        )


def _write_sheet(
    sheet: Any,  # noqa: ANN401 - openpyxl declares a write-only sheet as less than it is
    table: ExportTable,
    cells: WorkbookCells,
) -> None:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.dimensions import RowDimension

    columns = table.meta.columns
    widths = decide_widths(columns, islice(table.records, 1000))
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(table.records) + 1}"
    sheet.append(cells.draw_header(columns))
    widths_by_name = {column.name: width for column, width in zip(columns, widths, strict=True)}
    for row, record in enumerate(table.records, start=2):
        height = decide_row_height(record.values, widths_by_name)
        if height is not None:
            sheet.row_dimensions[row] = RowDimension(sheet, index=row, ht=height)
        sheet.append(cells.draw_row(columns, record.values))
        sheet.row_dimensions.pop(row, None)


def _save(workbook: "Workbook", stream: BinaryIO) -> None:
    """As `Workbook.save`, which writes the time of day into the file in several places."""
    from openpyxl.writer.excel import ExcelWriter

    workbook.properties.creator = "llm-assets"
    workbook.properties.created = workbook.properties.modified = _NO_TIME
    with _TimelessZip(stream, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(workbook, archive).write_data()


class _TimelessZip(ZipFile):
    """An archive whose members all have the earliest time that the format knows."""

    def writestr(
        self,
        zinfo_or_arcname: str | ZipInfo,
        data: "SizedBuffer | str",
        compress_type: int | None = None,
        compresslevel: int | None = None,
    ) -> None:
        """Add a member that is held in memory."""
        member = self._build_member(str(zinfo_or_arcname), compress_type)
        super().writestr(member, data, compress_type, compresslevel)

    def write(
        self,
        filename: "StrPath",
        arcname: "StrPath | None" = None,
        compress_type: int | None = None,
        compresslevel: int | None = None,  # noqa: ARG002 - the archive's own stands
    ) -> None:
        """Add a member from a file."""
        member = self._build_member(str(arcname or filename), compress_type)
        with Path(filename).open("rb") as source, self.open(member, "w") as target:
            copyfileobj(source, target)

    def _build_member(self, name: str, compress_type: int | None) -> ZipInfo:
        member = ZipInfo(name)  # whose time is 1 January 1980 where none is given
        member.compress_type = self.compression if compress_type is None else compress_type
        return member
