import pytest

from llm_assets.core.export import ExportRow
from llm_assets.core.export_columns import ExportColumn, build_input_columns
from llm_assets.core.ids import WorkId
from llm_assets.core.workbook_layout import MAX_WIDTH, decide_row_height, decide_widths


@pytest.mark.parametrize(
    ("name", "values", "width"),
    [
        ("id", [], 8),
        ("id", ["x" * 20], 21),
        ("a rather long name", ["x"], 22),
        ("n" * 100, ["x"], 28),
        ("text", ["x" * 5_000], MAX_WIDTH),
        ("text", ["short\nand a longer line\n"], 18),
        ("numbers", [1, 2.5, None], 11),
    ],
    ids=str,
)
def test_a_column_is_as_wide_as_its_content(name, values, width):
    """Its longest line decides, within bounds; the header has room for the button of its filter."""
    rows = [ExportRow(work_id=WorkId("w"), values={name: value}) for value in values]
    assert decide_widths(build_input_columns([name], []), rows) == [width]


def test_a_moment_has_room():
    """Spreadsheets show a day that does not fit as `####`, whatever its text was."""
    columns = [ExportColumn(name="d", source="output", path=("d",), kind="datetime")]
    rows = [ExportRow(work_id=WorkId("w"), values={"d": "2026-03-01 10:00"})]
    assert decide_widths(columns, rows) == [20]


@pytest.mark.parametrize(
    ("text", "height"),
    [("x" * 500, None), ("x" * 700, 150), ("a\n" * 5, None), ("a\n" * 30, 150), ([1] * 1000, 150)],
    ids=["500", "700", "5 lines", "30 lines", "list"],
)
def test_a_row_stays_low_enough_to_scan(text, height):
    """A row whose text would fill the screen is ten lines high; every other one is left to the program."""
    assert decide_row_height({"a": "x", "b": text}, {"a": 10, "b": 60}) == height
