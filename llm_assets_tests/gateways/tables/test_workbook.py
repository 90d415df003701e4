import io
from datetime import date, datetime, timedelta

import pytest
from openpyxl import Workbook

HEADER = ("name", "when", "ok")


@pytest.fixture
def build():
    """Makes a workbook of sheets, each a list of rows that begin in cell A1."""

    def build_workbook(sheets, *, hidden=()):
        workbook = Workbook()
        workbook.remove(workbook.worksheets[0])
        for title, rows in sheets.items():
            sheet = workbook.create_sheet(title)
            for row in rows:
                sheet.append(row)
            if title in hidden:
                sheet.sheet_state = "hidden"
        content = io.BytesIO()
        workbook.save(content)
        return content.getvalue()

    return build_workbook


def test_values_as_text(read, build):
    """With `types: text` a sheet reads as it looks: 3 and not 3.0, dates in ISO form, true and false."""
    rows = [
        HEADER,
        (3, date(2026, 1, 2), True),
        (3.5, datetime(2026, 1, 2, 3, 4, 5), False),  # noqa: DTZ001 - a sheet knows no time zone
        ("007", timedelta(hours=30), None),
    ]
    assert read("t.xlsx", build({"S": rows})).cells == [
        ("3", "2026-01-02", "true"),
        ("3.5", "2026-01-02T03:04:05", "false"),
        ("007", "30:00:00", ""),
    ]


def test_values_kept(read, build):
    """With `types: keep` numbers and booleans stay, whole ones as whole numbers; dates are ISO text."""
    content = build({"S": [HEADER, (3, date(2026, 1, 2), True), (3.5, "x", None)]})
    cells = read("t.xlsx", content, types="keep").cells
    assert cells == [(3, "2026-01-02", True), (3.5, "x", "")]
    assert [type(cell) for cell in cells[0]] == [int, str, bool]


def test_sheets(read, refuse, build):
    """The first visible sheet is read unless another is named; a name that is not there lists those that are."""
    sheets = {"Lists": [("x",), ("1",)], "Main": [("y",), ("2",)], "Old": [("z",), ("3",)]}
    content = build(sheets, hidden=("Lists",))
    assert read("t.xlsx", content).columns == ("y",)
    assert read("t.xlsx", content, sheet="Old").cells == [("3",)]
    assert read("t.xlsx", content, sheet="Lists").cells == [("1",)]
    error = refuse("t.xlsx", content, sheet="old")
    assert error.what == "t.xlsx has no sheet 'old'; it has 'Lists', 'Main', 'Old'."
    assert "`input.sheet`" in error.remedy


def test_header_row(read, build):
    """The header stands in the row that the settings name, and rows keep the numbers a person sees."""
    content = build({"S": [("Report",), (), ("a", "b"), (1, 2), (), (3, 4)]})
    table = read("t.xlsx", content, header_row=3)
    assert (table.columns, table.lines, table.cells) == (
        ("a", "b"),
        [4, 6],
        [("1", "2"), ("3", "4")],
    )


def test_rows_above_and_columns_left_of_the_table(read, build):
    """A table that does not begin in A1 is read alike."""
    content = build({"S": [(), (), (None, "a", "b"), (None, 1, 2)]})
    table = read("t.xlsx", content, header_row=3)
    assert (table.columns, table.lines, table.cells) == (("a", "b"), [4], [("1", "2")])


def test_header_alone_and_one_column(read, build):
    """A header without rows is an empty table; in a single column a gap is an empty cell."""
    assert read("t.xlsx", build({"S": [("a", "b")]})).cells == []
    assert read("t.xlsx", build({"S": [("a",), (1,), (), (2,)]})).cells == [("1",), ("",), ("2",)]


@pytest.mark.parametrize(
    ("rows", "header_row", "message"),
    [
        ([], 1, "t.xlsx: the sheet 'S' is empty."),
        (
            [(), (), ("a",)],
            1,
            "row 1: the row is blank where column names are expected; the first filled row is 3.",
        ),
        ([("a",)], 5, "row 5: the row is blank"),
        ([("a", None, "c")], 1, "row 1: column 2 of 3 has no name."),
        ([("a", "b", "a")], 1, "row 1: the columns 1 and 3 are both named 'a'."),
        (
            [("a", "b"), (1, 2), (1, 2, None, 4)],
            1,
            "row 3: there is a value in column D, right of the last",
        ),
        ([(None, "a"), (None, 1, 2)], 1, "row 2: there is a value in column C, right of the last"),
        ([("a",), (1, *[None] * 27, 2)], 1, "row 2: there is a value in column AC,"),
    ],
)
def test_sheets_that_are_refused(refuse, build, rows, header_row, message):
    """A header or row that does not fit is refused with workbook, sheet, row and column."""
    error = refuse("t.xlsx", build({"S": rows}), header_row=header_row)
    assert message in error.what
    assert error.what.startswith("t.xlsx")
    assert error.remedy


def test_numbers_as_column_names(read, build):
    """A header of years reads as the years."""
    assert read("t.xlsx", build({"S": [(2025, 2026), (1, 2)]})).columns == ("2025", "2026")


def test_password(refuse, build):
    """A protected workbook is refused with the one thing that helps."""
    from msoffcrypto.format.ooxml import OOXMLFile

    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(build({"S": [("a",)]}))).encrypt("secret", locked)
    error = refuse("t.xlsx", locked.getvalue())
    assert error.what == "t.xlsx is protected by a password; nothing was read."
    assert error.remedy == "Save a copy without a password."


@pytest.mark.parametrize("damage", ["cut", "text", "zip"])
def test_corrupt(refuse, build, damage):
    """A workbook cut in half, a text file named .xlsx and a foreign zip file are refused in one sentence."""
    content = {
        "cut": build({"S": [("a",)] * 50})[:2000],
        "text": b"a,b\n1,2\n",
        "zip": b"PK\x05\x06" + bytes(18),
    }[damage]
    error = refuse("t.xlsx", content)
    assert error.what.startswith("t.xlsx is no readable Excel workbook (")
    assert "save it again as .xlsx" in error.remedy
