"""Tables that others made, written in every format and read again."""

from typing import get_args

import pytest

from llm_assets.config.export import ExportFormat
from llm_assets.gateways.tables.writing import write_export
from llm_assets_tests.gateways.tables.conftest import ReadFile
from llm_assets_tests.gateways.tables.export_tables import build_expected, build_table
from llm_assets_tests.shared_tables import LYRICS, PROBLEMS, find_shared_table

TABLES = {
    LYRICS: {"encoding": "mac_roman"},
    PROBLEMS: {},
}


@pytest.mark.parametrize("export_format", get_args(ExportFormat))
@pytest.mark.parametrize("name", TABLES)
def test_a_real_table_reads_back(tmp_path, read_file: ReadFile, name, export_format):
    """Every row comes back with its line breaks, quotes, accents and formulas, in every format."""
    source = read_file(find_shared_table(name), **TABLES[name])
    table = build_table(*source.cells, names=source.columns)
    path = tmp_path / f"x.{export_format}"
    write_export(path, table, export_format=export_format)
    written = read_file(path, types="keep")
    assert written.columns == source.columns
    assert written.cells == build_expected(table, export_format)
    assert len(written.cells) == len(source.cells) > 300
