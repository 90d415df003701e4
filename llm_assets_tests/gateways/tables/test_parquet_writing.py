import sys

import pyarrow.parquet as pq
import pytest

from llm_assets.errors import ConfigError
from llm_assets.gateways.tables.parquet_writing import write_parquet
from llm_assets_tests.gateways.tables.export_tables import build_table

KINDS = ("text", "integer", "number", "decimal", "boolean", "date", "datetime", "json")
TYPES = ["string", "int64", "double", "double", "bool", "date32[day]", "timestamp[us]", "string"]


def read_types(path):
    return [str(kind) for kind in pq.read_schema(path).types]


@pytest.mark.parametrize("rows", [[], [(None,) * len(KINDS)]], ids=["no rows", "no values"])
def test_the_kinds_decide_the_types(tmp_path, rows):
    """A batch without rows or values has the types of every other batch, so that they can be read as one."""
    write_parquet(tmp_path / "x", build_table(*rows, names=KINDS, kinds=KINDS))
    assert read_types(tmp_path / "x") == TYPES


def test_values_keep_their_types(tmp_path):
    """A moment with an offset is one in UTC; a column with a value of another kind is text."""
    row = ("a", 1, 2.5, "0.5", True, "2026-03-01", "2026-03-01T11:00:00+01:00", [1])
    write_parquet(tmp_path / "x", build_table(row, names=KINDS, kinds=KINDS))
    assert read_types(tmp_path / "x")[6] == "timestamp[us, tz=UTC]"
    (read,) = pq.read_table(tmp_path / "x").to_pylist()
    assert [read[kind] for kind in KINDS[:5]] == ["a", 1, 2.5, 0.5, True]
    write_parquet(tmp_path / "y", build_table(("one",), (2,), names=("n",), kinds=("integer",)))
    assert pq.read_table(tmp_path / "y").to_pylist() == [{"n": "one"}, {"n": "2"}]


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    """Without pyarrow the error says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match="pyarrow") as caught:
        write_parquet(tmp_path / "x", build_table())
    assert "llm-assets[parquet]" in caught.value.remedy
