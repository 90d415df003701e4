import io
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def _build(columns) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    return content.getvalue()


VALUES = _build(
    {
        "n": pa.array([1, None]),
        "x": pa.array([2.0, float("nan")]),
        "ok": pa.array([True, False]),
        "day": pa.array([date(2026, 1, 2), None]),
        "at": pa.array([datetime(2026, 1, 2, 3, tzinfo=UTC), None]),
        "price": pa.array([Decimal("1.50"), None]),
        "tags": pa.array([["a", "b"], []]),
        "kind": pa.array(["u", "v"]).dictionary_encode(),
    }
)


def test_values_as_text(read):
    """With `types: text` every value is text, and what is missing is empty."""
    table = read("t.parquet", VALUES)
    assert table.columns == ("n", "x", "ok", "day", "at", "price", "tags", "kind")
    assert table.cells == [
        ("1", "2", "true", "2026-01-02", "2026-01-02T03:00:00+00:00", "1.50", '["a","b"]', "u"),
        ("", "", "false", "", "", "", "[]", "v"),
    ]


def test_values_kept(read):
    """With `types: keep` numbers, booleans and missing values stay what they are."""
    first, second = read("t.parquet", VALUES, types="keep").cells
    assert first[:3] == (1, 2.0, True)
    assert second == (None, None, False, None, None, None, "[]", "v")


def test_records_are_counted_over_batches(read):
    """A row's number is its record's, from 1, through every batch of a long file."""
    table = read("t.parquet", _build({"a": list(range(20_000))}))
    assert table.lines == list(range(1, 20_001))
    assert table.cells[-1] == ("19999",)


def test_no_rows(read):
    """A file of columns without records is an empty table."""
    assert read("t.parquet", _build({"a": pa.array([], pa.string())})).cells == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "t.parquet is no readable parquet file ("),
        (VALUES[:-20], "t.parquet is no readable parquet file ("),
        (VALUES[:10] + b"\xff" * 200 + VALUES[210:], "t.parquet is no readable parquet file ("),
        (
            _build({"a": ["x"], "b": [b"\xff"]}),
            "t.parquet, record 1: column 'b' cannot be read: it holds bytes",
        ),
        (_build({}), "t.parquet has no columns"),
        (_build({"a": ["x"], " a": ["y"]}), "t.parquet: the columns 1 and 2 are both named 'a'"),
    ],
)
def test_files_that_are_refused(refuse, content, message):
    """A damaged file, a binary column and a bad header are refused with file and place."""
    error = refuse("t.parquet", content)
    assert error.what.startswith(message)
    assert "\n" not in error.what
    assert error.remedy


def test_missing_pyarrow(refuse, monkeypatch):
    """Without pyarrow the error holds the command that installs it."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    error = refuse("t.parquet", VALUES)
    assert "pyarrow" in error.what
    assert "pip install 'llm-assets[parquet]'" in error.remedy
