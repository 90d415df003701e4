import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_assets.config.task import InputSettings
from llm_assets.gateways.tables.reading import open_table


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'a,b\n"x, y","two\nlines"\n'),
        ("t.csv", 'a;b\n"x, y";"two\nlines"\n'),
        ("t.csv", 'a\tb\n"x, y"\t"two\nlines"\n'),
        ("t.csv", 'a|b\n"x, y"|"two\nlines"\n'),
        ("t.psv", 'a|b\nx, y|"two\nlines"\n'),
        ("t.tsv", 'a\tb\nx, y\t"two\nlines"\n'),
    ],
)
def test_delimiters(read, name, content):
    """Each delimiter is found where it is not fixed, and a quoted cell may hold it and line breaks."""
    assert read(name, content).cells == [("x, y", "two\nlines")]


@pytest.mark.parametrize("delimiter", ["tab", r"\t", "\t"])
def test_delimiter_setting_spells_the_tab(read, delimiter):
    """The tab can be named by a word, by its escape or by itself."""
    assert read("t.csv", "a,x\tb\n1,2\t3\n", delimiter=delimiter).columns == ("a,x", "b")


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", " "])
def test_delimiter_that_cannot_be_one(refuse, delimiter):
    """A delimiter that could not separate cells is refused before anything is read."""
    assert "`input.delimiter`" in refuse("t.csv", "a,b\n", delimiter=delimiter).what


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_does(read, line_break):
    """A row's line is where it starts, whatever ends the lines and however many lines a cell spans."""
    content = line_break.join(["a,b", '1,"x', 'y"', "", "3,z"])
    table = read("t.csv", content)
    assert table.lines == [2, 5]
    assert table.cells == [("1", f"x{line_break}y"), ("3", "z")]


def test_blank_lines_of_a_wide_table_are_passed_over(read):
    """A line without any cell is no row where rows have several."""
    table = read("t.csv", "a,b\n\n1,2\n   \n3,4\n\n")
    assert list(zip(table.lines, table.cells, strict=True)) == [(3, ("1", "2")), (5, ("3", "4"))]


def test_blank_lines_of_a_narrow_table_are_rows(read):
    """In a table of one column a blank line is an empty cell, so that no row is lost."""
    assert read("t.csv", "a\nx\n\ny\n").cells == [("x",), ("",), ("y",)]


def test_rows_of_empty_cells_are_rows(read):
    """A line of delimiters is a row, although nothing is in it."""
    assert read("t.csv", "a,b\n,\n").cells == [("", "")]


@pytest.mark.parametrize(
    ("header_row", "columns", "lines"), [(1, ("x", "y"), [2, 3]), (2, ("a", "b"), [3])]
)
def test_header_row(read, header_row, columns, lines):
    """The header stands in the line that the settings name, and the lines above it are passed over."""
    table = read("t.csv", "x,y\na,b\n1,2\n", header_row=header_row)
    assert (table.columns, table.lines) == (columns, lines)


def test_lines_above_the_header_need_not_be_rows(read):
    """What stands above the header may hold stray quotes and any delimiter."""
    table = read("t.csv", 'Report; "draft\n\na;b\n1;2\n', header_row=3)
    assert (table.columns, table.cells, table.lines) == (("a", "b"), [("1", "2")], [4])


@pytest.mark.parametrize(
    ("content", "header_row", "message"),
    [
        ("\n1,2\n", 1, "t.csv, line 1: there are no column names in this line."),
        ("a,b\n", 2, "t.csv, line 2: there are no column names in this line."),
        ("a,b\n1,2\n", 4, "t.csv has 2 lines, but `input.header_row` is 4."),
        ("a,,c\n", 1, "t.csv, line 1: column 2 of 3 has no name."),
        ("a,b,\n", 1, "t.csv, line 1: column 3 of 3 has no name."),
        ("x\na, b ,b\n", 2, "t.csv, line 2: the columns 2 and 3 are both named 'b'."),
    ],
)
def test_headers_that_are_refused(refuse, content, header_row, message):
    """A header that is blank, has a nameless column or a name twice is refused with its line."""
    assert refuse("t.csv", content, header_row=header_row).what == message


def test_header_names_lie_on_one_line(read):
    """White space around and inside the names is one space or none, so that prompts can name them."""
    assert read("t.csv", '" first\nname ",b\t\n').columns == ("first name", "b")


@pytest.mark.parametrize(
    ("content", "place", "what"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3", "the row has 3 cells, the header has 2"),
        ("a,b\n1\n", "line 2", "the row has 1 cells, the header has 2"),
        ('a,b\n1,"x\n"\n\n1,"x\ny",z\n', "line 5", "(it runs on to line 6, so a quote may be left"),
        ("a\n1,2\n", "line 2", "the row has 2 cells, the header has 1"),
        ('a,b\n1,2\n3,"x\n5,6\n', "line 3", "a quote is opened in the row that starts here and"),
        ('a,b\n1,"x"y\n', "line 2", "a closing quote is not followed by the delimiter ','."),
        ('a,b\n1,"x\n2,"y"\n', "line 3", "in the row that starts in line 2"),
        ("a,b\n1,2\n3,\0\n", "line 3", "NUL"),
    ],
)
def test_rows_that_are_refused(refuse, content, place, what):
    """A row that does not fit the header, or breaks off in a quote, is refused with file and line."""
    error = refuse("t.csv", content)
    assert f"t.csv, {place}: " in error.what
    assert what in error.what
    assert error.remedy


def test_line_numbers_of_errors_count_what_stands_above_the_header(refuse):
    """The line in a message is the line of the file, also below a preamble."""
    assert "line 4: the row has 1" in refuse("t.csv", "x\n\na,b\n1\n", header_row=3).what


def test_long_cells(read):
    """A cell longer than the standard library's limit of 131,072 characters is read whole."""
    assert read("t.csv", f"a,b\n1,{'x' * 200_000}\n").cells == [("1", "x" * 200_000)]


def test_values_stay_text(read):
    """Nothing that looks like a number, a date or a missing value is changed, whatever `types` says."""
    cells = ("007", "1.10", "NA", " pad ", "true")
    content = "a,b,c,d,e\n" + ",".join(cells)
    assert read("t.csv", content, types="keep").cells == [cells]


@given(
    rows=st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0"))] * 2),
        max_size=5,
    ),
    delimiter=st.sampled_from(",;\t|"),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_what_was_written_is_read(tmp_path, rows, delimiter):
    """Whatever a csv writer wrote comes back cell by cell."""
    content = io.StringIO()
    writer = csv.writer(content, delimiter=delimiter)
    writer.writerows([("a", "b"), *rows])
    path = tmp_path / "t.csv"
    path.write_bytes(content.getvalue().encode())
    with open_table(path, InputSettings(delimiter=delimiter), shown_path="t.csv") as table:
        assert [row.cells for row in table.rows] == rows
