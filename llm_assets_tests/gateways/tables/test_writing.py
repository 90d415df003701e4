import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.export import ExportMeta, ExportRow, ExportTable
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.ids import WorkId
from llm_assets.errors import StorageError
from llm_assets.gateways.tables.writing import (
    DELIMITERS,
    write_delimited,
    write_export,
    write_json_lines,
)


def build_table(*rows, names=("a", "b")):
    return ExportTable(
        meta=ExportMeta(
            columns=tuple(
                ExportColumn(name=name, source="input", path=(name,), kind="text") for name in names
            ),
            n_rows=len(rows),
            n_accepted=len(rows),
            n_left_out=0,
            is_rehearsal=False,
        ),
        records=tuple(
            ExportRow(work_id=WorkId("w"), values=dict(zip(names, row, strict=True)))
            for row in rows
        ),
    )


def test_values_as_cells(tmp_path):
    """Missing values are empty, numbers and booleans plain, lists and objects JSON text."""
    path = tmp_path / "out" / "x.csv"
    write_delimited(
        path,
        build_table((None, 1.5), (True, "ä, ö"), (["x", 1], {"k": None}), ('say "hi"', "")),
        delimiter=",",
    )
    assert path.read_bytes().decode() == (
        'a,b\n,1.5\ntrue,"ä, ö"\n"[""x"",1]","{""k"":null}"\n"say ""hi""",\n'
    )


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-cmd", "'-cmd"),
        ("- a point", "'- a point"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("+49 170 1", "'+49 170 1"),
        ("-5", "-5"),
        ("+3.25", "+3.25"),
        ("-.5e-3", "-.5e-3"),
        ("-5%", "-5%"),
        ("a=1", "a=1"),
        (-7, "-7"),
        (-1e-07, "-1e-07"),
    ],
)
def test_formulas_are_neutralised_and_counted(tmp_path, cell, written):
    """A text that a spreadsheet would run gets an apostrophe; a plain number does not."""
    path = tmp_path / "x.csv"
    result = write_delimited(path, build_table((cell, "b")), delimiter=",")
    with path.open(newline="") as stream:
        assert list(csv.reader(stream))[1] == [written, "b"]
    assert result.n_formulas == (str(cell) != written)


def test_formula_in_a_header_is_neutralised(tmp_path):
    """A column name is a cell like any other."""
    result = write_delimited(tmp_path / "x.csv", build_table(("1",), names=("=x",)), delimiter=",")
    assert (tmp_path / "x.csv").read_text() == "'=x\n1\n"
    assert result.n_formulas == 1


@given(
    cells=st.lists(st.tuples(st.text(), st.text()), max_size=5),
    delimiter=st.sampled_from(sorted(DELIMITERS.values())),
)
def test_every_text_comes_back(tmp_path_factory, cells, delimiter):
    """A csv reader gets the rows as they were, apostrophes before formulas apart."""
    path = tmp_path_factory.mktemp("written") / "x.csv"
    write_delimited(path, build_table(*cells), delimiter=delimiter)
    text = path.read_bytes().decode()
    _, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    assert [[cell.removeprefix("'") for cell in row] for row in rows] == [
        [cell.removeprefix("'") for cell in row] for row in cells
    ]


def test_json_lines_keep_types_and_column_order(tmp_path):
    """A line is an object in the order of the columns, with values as they are and inner keys sorted."""
    path = tmp_path / "x.jsonl"
    write_json_lines(
        path, build_table(({"z": 1, "a": [True]}, "=1"), ("zwölf\n", None), names=("b", "a"))
    )
    assert path.read_bytes().decode() == (
        '{"b":{"a":[true],"z":1},"a":"=1"}\n{"b":"zwölf\\n","a":null}\n'
    )


@pytest.mark.parametrize("export_format", ["csv", "psv", "tsv", "jsonl"])
def test_half_characters_do_not_stop_a_file(tmp_path, export_format):
    """A lone surrogate is replaced in delimited files and kept as an escape in JSON Lines."""
    path = tmp_path / "x"
    write_export(path, build_table(("x\ud800y", "z")), export_format=export_format)
    text = path.read_bytes().decode()
    if export_format == "jsonl":
        assert json.loads(text) == {"a": "x\ud800y", "b": "z"}
    else:
        assert text.splitlines()[1] == DELIMITERS[export_format].join(["x\ufffdy", "z"])


@pytest.mark.parametrize(
    ("export_format", "content"),
    [("csv", "a,b\n"), ("psv", "a|b\n"), ("tsv", "a\tb\n"), ("jsonl", "")],
)
def test_empty_table(tmp_path, export_format, content):
    """A table without rows is its header."""
    path = tmp_path / "x"
    result = write_export(path, build_table(), export_format=export_format)
    assert path.read_text() == content
    assert (result.n_rows, result.n_formulas) == (0, 0)


@pytest.mark.parametrize("export_format", ["csv", "jsonl"])
def test_failure_leaves_the_file_before(tmp_path, export_format):
    """A value that cannot be written stops the file, and the folder is as it was."""
    path = tmp_path / "x"
    path.write_text("before")
    with pytest.raises(ValueError, match="Out of range float"):
        write_export(
            path, build_table(("a", "b"), ([float("nan")], "")), export_format=export_format
        )
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_place_is_a_storage_error(tmp_path):
    """A folder that cannot be made is told with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        write_json_lines(tmp_path / "file" / "x.jsonl", build_table())
