from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from llm_assets.core import workbook_layout
from llm_assets.errors import ConfigError
from llm_assets.gateways.tables import workbook_writing
from llm_assets.gateways.tables.workbook_writing import write_workbook
from llm_assets_tests.gateways.tables.export_tables import build_table


@pytest.fixture
def write(tmp_path):
    """Writes a table and opens it with openpyxl, which shows types and styles."""

    def write_and_open(*rows, **how):
        written = write_workbook(tmp_path / "x.xlsx", build_table(*rows, **how))
        return written, load_workbook(tmp_path / "x.xlsx")["rows"]

    return write_and_open


def test_a_person_finds_their_way(write):
    """The header is bold and stays in sight, every column can be filtered, and long text wraps."""
    _, sheet = write(("1", "x" * 500), ("2", "y"), names=("id", "a text"))
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B3"
    assert sheet["A1"].font.bold
    assert (sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width) == (8, 60)
    assert sheet["B2"].alignment.wrap_text
    assert sheet["B2"].alignment.vertical == sheet["A2"].alignment.vertical == "top"


def test_a_row_of_very_long_text_has_a_height(write):
    """It does not fill the screen; other rows are left to the program."""
    _, sheet = write(("1", "x" * 5_000), ("2", "y"))
    assert [sheet.row_dimensions[row].height for row in (2, 3)] == [150, None]


@pytest.mark.parametrize(
    ("value", "kind", "data_type", "number_format"),
    [
        ("a", "text", "s", "General"),
        ("007", "text", "s", "General"),
        ("-5", "text", "s", "General"),
        (-5, "integer", "n", "General"),
        (2**53, "integer", "s", "General"),
        (0.1 + 0.2, "number", "n", "General"),
        ("0.0015", "decimal", "n", "General"),
        ("0.12345678901234567890", "decimal", "s", "General"),
        (True, "boolean", "b", "General"),
        ("2026-03-01", "date", "d", "yyyy-mm-dd"),
        ("1900-02-28", "date", "s", "General"),
        ("soon", "date", "s", "General"),
        ("2026-03-01T10:30:00", "datetime", "d", "yyyy-mm-dd hh:mm:ss"),
        ("2026-03-01T10:30:00Z", "datetime", "s", "General"),
        ("2026-03-01T10:30:00.5", "datetime", "s", "General"),
        (["a"], "json", "s", "General"),
        (3, "json", "n", "General"),
    ],
)
def test_values_keep_their_types(write, value, kind, data_type, number_format):
    """Numbers, booleans and days are what they are; what a workbook cannot hold exactly is text."""
    _, sheet = write((value, ""), kinds=(kind, "text"))
    assert (sheet["A2"].data_type, sheet["A2"].number_format) == (data_type, number_format)
    assert sheet["B2"].value is None


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "@x", '=HYPERLINK("http://x")', "＝1"])  # noqa: RUF001 - wide
def test_a_formula_is_text_and_stays_text(write, text):
    """It is written as text, and marked as if typed with an apostrophe, so that editing does not run it."""
    written, sheet = write((text, "-5"))
    assert (sheet["A2"].value, sheet["A2"].data_type, sheet["A2"].quotePrefix) == (text, "s", True)
    assert not sheet["B2"].quotePrefix
    assert written.n_formulas == 1


def test_what_looks_like_an_error_is_text(write):
    """`#N/A` may be a label."""
    _, sheet = write(("#N/A", "#REF!"))
    assert [cell.data_type for cell in sheet[2]] == ["s", "s"]


def test_long_text_is_cut_with_a_mark_and_counted(write):
    """A cell ends where Excel would call the file damaged, and says how much there was."""
    written, sheet = write(("x" * 40_000, "x" * 32_767))
    assert sheet["A2"].value.endswith("x… [cut here: 40,000 characters in all]")
    assert (len(sheet["A2"].value), len(sheet["B2"].value)) == (32_767, 32_767)
    assert written.n_cut == 1


def test_a_table_too_large_for_a_sheet_is_refused(tmp_path, monkeypatch):
    """Nothing is left out in silence: the error names the limit and the way out."""
    monkeypatch.setattr(workbook_writing, "MAX_ROWS", 2)
    with pytest.raises(ConfigError, match="2 rows") as caught:
        write_workbook(tmp_path / "x.xlsx", build_table(("1", "2"), ("3", "4")))
    assert "xlsx" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
    assert (workbook_layout.MAX_ROWS, workbook_layout.MAX_COLUMNS) == (1_048_576, 16_384)


def test_no_time_is_in_the_file(tmp_path):
    """Every part of the archive and the properties have one fixed time."""
    write_workbook(tmp_path / "x.xlsx", build_table(("1", "2")))
    with ZipFile(tmp_path / "x.xlsx") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01T00:00:00Z" in archive.read("docProps/core.xml")
