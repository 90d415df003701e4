from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_assets.config.export import ExportFormat
from llm_assets.config.task import InputSettings
from llm_assets.core.export_values import ColumnKind
from llm_assets.errors import StorageError
from llm_assets.gateways.tables.reading import open_table
from llm_assets.gateways.tables.writing import write_export
from llm_assets_tests.gateways.tables.export_tables import build_expected, build_table

FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)

TEXT = st.text(
    st.characters() | st.sampled_from("\r\n\t\x0b\x1b\ufffe\ud800\0 '=_xX0dD,;|\"\u2028")
) | st.from_regex(r"_?(_x[0-9a-fA-F]{4}_?)+[\r\x01]?", fullmatch=True)
FLAT = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
)
NAIVE = st.datetimes().map(lambda moment: moment.isoformat())
VALUES: dict[ColumnKind, st.SearchStrategy] = {
    "text": TEXT,
    "integer": st.integers(),
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "decimal": st.decimals(min_value=0, max_value=100_000, places=8).map(lambda cost: f"{cost:f}"),
    "boolean": st.booleans(),
    "date": st.dates().map(lambda day: day.isoformat()),
    "datetime": NAIVE,
    "json": FLAT | st.lists(FLAT, max_size=3) | st.dictionaries(st.text("äb"), FLAT, max_size=3),
}
"""Values of each kind, as a table holds them."""

# The first cell is always filled: a workbook's blank row is none.
ROWS = st.lists(
    st.tuples(st.just("id"), *[st.none() | values for values in VALUES.values()]),
    min_size=1,
    max_size=6,
)


def read_back(path, **how):
    with open_table(path, InputSettings(**how), shown_path=path.name) as table:
        return table.columns, [row.cells for row in table.rows]


@pytest.mark.parametrize("export_format", FORMATS)
@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
@example(
    rows=[
        ("id", "_x0041\x01", 2**53, 2**53 + 1, "0.1", None, "1900-02-28", "1900-03-01T00:00:00", {})
    ]
)
@example(
    rows=[("id", "\r\n", 2**63, 0.1 + 0.2, "1E-8", True, "0001-01-01", "9999-12-31T23:59:59", [1])]
)
def test_what_was_written_reads_back(tmp_path_factory, export_format, rows):
    """The project's own reader finds every row, with every value that the format can hold as it was."""
    table = build_table(*rows, names=("key", *VALUES), kinds=("text", *VALUES))
    path = tmp_path_factory.mktemp("written") / f"x.{export_format}"
    written = write_export(path, table, export_format=export_format)
    columns, cells = read_back(path, types="keep")
    assert columns == ("key", *VALUES)
    assert cells == build_expected(table, export_format)
    assert written.n_rows == len(rows)


@pytest.mark.parametrize("export_format", FORMATS)
def test_the_same_table_gives_the_same_bytes(tmp_path, export_format):
    """Nothing of the time of day, of the machine or of the order of writing is in a file."""
    row = ("id", "a\nb", 1, 0.5, "0.0015", True, "2026-03-01", "2026-03-01T10:00:00", ["x"])
    table = build_table(row, row, names=("key", *VALUES), kinds=("text", *VALUES))
    paths = [tmp_path / "1" / "x", tmp_path / "2" / "y"]
    for path in paths:
        write_export(path, table, export_format=export_format)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("export_format", sorted({*FORMATS} - {"jsonl"}))
def test_an_empty_table_is_its_header(tmp_path, export_format):
    """A table without rows has its columns in every format that has a header."""
    path = tmp_path / f"x.{export_format}"
    table = build_table(names=("key", *VALUES), kinds=("text", *VALUES))
    result = write_export(path, table, export_format=export_format)
    assert read_back(path) == (("key", *VALUES), [])
    assert (result.n_rows, result.n_formulas) == (0, 0)


@pytest.mark.parametrize("export_format", FORMATS)
def test_half_characters_do_not_stop_a_file(tmp_path, export_format):
    """A lone surrogate is replaced and counted; JSON Lines keep it as an escape."""
    path = tmp_path / f"x.{export_format}"
    result = write_export(path, build_table(("x\ud800y", "z")), export_format=export_format)
    assert read_back(path)[1] == [("x\ufffdy", "z")]
    assert result.n_replaced == (export_format != "jsonl")
    assert (b"\\ud800" in path.read_bytes()) is (export_format == "jsonl")


@pytest.mark.parametrize("export_format", ["csv", "jsonl", "xlsx", "parquet"])
def test_a_failure_leaves_the_file_before(tmp_path, export_format):
    """A value that cannot be written stops the file, and the folder is as it was."""
    path = tmp_path / "x"
    path.write_text("before")
    rows = (("a", "b"), ([float("nan")], ""))
    with pytest.raises(ValueError, match="Out of range float"):
        write_export(path, build_table(*rows), export_format=export_format)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("export_format", FORMATS)
def test_an_unwritable_place_is_a_storage_error(tmp_path, export_format):
    """A folder that cannot be made is told with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        write_export(tmp_path / "file" / "x", build_table(), export_format=export_format)
