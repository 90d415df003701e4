"""On which line of an export's file a row of the table stands."""

from collections.abc import Iterable
from itertools import islice

from llm_assets.config.export import ExportFormat
from llm_assets.core.export import ExportRow, ExportTable
from llm_assets.core.ids import WorkId
from llm_assets.core.safe_cells import render_cell

TEXT_FORMATS: tuple[ExportFormat, ...] = ("csv", "psv", "tsv", "jsonl")


def find_record(table: ExportTable, work_id: WorkId) -> int | None:
    """The place of an item's record, from 0; None where the export leaves it out."""
    places = (place for place, record in enumerate(table.records) if record.work_id == work_id)
    return next(places, None)


def is_named(record: ExportRow) -> bool:
    """Whether the record shows which item it is of; columns can be chosen without."""
    return record.work_id in record.values.values()


def count_file_line(table: ExportTable, place: int, export_format: ExportFormat) -> int:
    """Where the record at this place starts in a file of this format, from 1.

    Cells with line breaks take several lines of a delimited file; only line feeds count. A workbook is counted in
    rows of the sheet, a parquet file in records.
    """
    if export_format in ("jsonl", "parquet"):
        return place + 1
    if export_format == "xlsx":
        return place + 2
    names = [column.name for column in table.meta.columns]
    lines = _count_lines(names)
    for record in islice(table.records, place):
        lines += _count_lines(render_cell(record.values.get(name)) for name in names)
    return lines + 1


def _count_lines(cells: Iterable[str]) -> int:
    return 1 + sum(cell.count("\n") for cell in cells)
