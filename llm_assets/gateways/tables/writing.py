"""How an export becomes a file, whatever its format."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from llm_assets.config.export import ExportFormat
from llm_assets.core.export import ExportTable
from llm_assets.gateways.tables.parquet_writing import check_pyarrow, write_parquet
from llm_assets.gateways.tables.text_writing import write_delimited, write_json_lines
from llm_assets.gateways.tables.workbook_writing import write_workbook
from llm_assets.gateways.tables.written_export import WrittenExport

_WRITERS: dict[ExportFormat, Callable[[Path, ExportTable], WrittenExport]] = {
    "csv": partial(write_delimited, delimiter=","),
    "psv": partial(write_delimited, delimiter="|"),
    "tsv": partial(write_delimited, delimiter="\t"),
    "jsonl": write_json_lines,
    "xlsx": write_workbook,
    "parquet": write_parquet,
}


def write_export(path: Path, table: ExportTable, *, export_format: ExportFormat) -> WrittenExport:
    """Write the table in the format named: the same table gives the same bytes.

    The file appears whole or not at all; `StorageError` where it cannot be written, `ConfigError` where the format
    cannot hold a table of this size or its package is not installed.
    """
    return _WRITERS[export_format](path, table)


def check_export_formats(formats: Iterable[ExportFormat]) -> None:
    """Make sure that each of these can be written here; `ConfigError` where a package is not installed."""
    if "parquet" in formats:
        check_pyarrow()
