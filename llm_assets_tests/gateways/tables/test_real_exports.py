"""Tables that others made, written in every format and read again."""

import os
from pathlib import Path
from typing import get_args

import pytest

from llm_assets.config.export import ExportFormat
from llm_assets.gateways.tables.writing import write_export
from llm_assets_tests.gateways.tables.conftest import ReadFile
from llm_assets_tests.gateways.tables.export_tables import build_expected, build_table

SHARED = Path(
    os.environ.get("LLM_ASSETS_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data")
)
TABLES = {
    "hip_hop_candidate_lyrics.csv": {"encoding": "mac_roman"},
    "gsm8k_test.jsonl": {},
}


@pytest.mark.parametrize("export_format", get_args(ExportFormat))
@pytest.mark.parametrize("name", TABLES)
def test_a_real_table_reads_back(tmp_path, read_file: ReadFile, name, export_format):
    """Every row comes back with its line breaks, quotes, accents and formulas, in every format."""
    if not (SHARED / name).is_file():
        pytest.skip(f"{name} is not there; LLM_ASSETS_SHARED_DATA names its folder")
    source = read_file(SHARED / name, **TABLES[name])
    table = build_table(*source.cells, names=source.columns)
    path = tmp_path / f"x.{export_format}"
    write_export(path, table, export_format=export_format)
    written = read_file(path, types="keep")
    assert written.columns == source.columns
    assert written.cells == build_expected(table, export_format)
    assert len(written.cells) == len(source.cells) > 300
