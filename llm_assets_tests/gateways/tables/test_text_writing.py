import csv

import pytest

from llm_assets.gateways.tables.text_writing import write_delimited, write_json_lines
from llm_assets_tests.gateways.tables.export_tables import build_table


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
    [("=1+1", "'=1+1"), ("- a point", "'- a point"), ("\r=1", "'\r=1"), ("-5", "-5"), (-7, "-7")],
)
def test_formulas_are_neutralised_and_counted(tmp_path, cell, written):
    """A text that a spreadsheet would run gets an apostrophe; a plain number does not."""
    path = tmp_path / "x.csv"
    result = write_delimited(path, build_table((cell, "b")), delimiter=",")
    with path.open(newline="") as stream:
        assert list(csv.reader(stream))[1] == [written, "b"]
    assert result.n_formulas == (str(cell) != written)


def test_a_formula_in_a_header_is_neutralised(tmp_path):
    """A column name is a cell like any other."""
    result = write_delimited(tmp_path / "x.csv", build_table(("1",), names=("=x",)), delimiter=",")
    assert (tmp_path / "x.csv").read_text() == "'=x\n1\n"
    assert result.n_formulas == 1


def test_long_cells_are_whole(tmp_path):
    """Only a workbook's cells have a limit; text keeps all of it."""
    path = tmp_path / "x.csv"
    result = write_delimited(path, build_table(("x" * 40_000, "")), delimiter=",")
    assert path.read_text() == f"a,b\n{'x' * 40_000},\n"
    assert result.n_cut == 0


def test_json_lines_keep_types_and_column_order(tmp_path):
    """A line is an object in the order of the columns, with values as they are and inner keys sorted."""
    path = tmp_path / "x.jsonl"
    write_json_lines(
        path, build_table(({"z": 1, "a": [True]}, "=1"), ("zwölf\n", None), names=("b", "a"))
    )
    assert path.read_bytes().decode() == (
        '{"b":{"a":[true],"z":1},"a":"=1"}\n{"b":"zwölf\\n","a":null}\n'
    )


def test_an_empty_table_has_no_json_lines(tmp_path):
    """JSON Lines name their columns in every row, so without rows there is nothing."""
    write_json_lines(tmp_path / "x.jsonl", build_table())
    assert (tmp_path / "x.jsonl").read_bytes() == b""
