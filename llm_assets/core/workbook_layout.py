"""How wide the columns of a sheet are and how high its rows, so that a person can read and scan it."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from llm_assets.core.export import ExportRow
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.export_values import ColumnKind
from llm_assets.core.safe_cells import render_cell

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
"""What Excel's sheets hold, the header included."""

MIN_WIDTH, MAX_WIDTH, MAX_HEADER_WIDTH = 8, 60, 24
"""In characters; longer text wraps."""
FILTER_WIDTH = 4
"""Room for the button that opens a column's filter, and a margin."""
MOMENT_WIDTHS: dict[ColumnKind, int] = {"date": 11, "datetime": 20}
"""A day that is wider than its column is shown as `####`."""
LINE_HEIGHT = 15
MAX_LINES = 10
"""A row with longer text is this high, in lines, and shows the rest when its cell is opened."""


def decide_widths(columns: Sequence[ExportColumn], sample: Iterable[ExportRow]) -> list[int]:
    """For each column the width of its longest line among these rows, within bounds."""
    widths = [
        max(
            min(len(column.name), MAX_HEADER_WIDTH) + FILTER_WIDTH,
            MOMENT_WIDTHS.get(column.kind, MIN_WIDTH),
        )
        for column in columns
    ]
    for row in sample:
        for place, column in enumerate(columns):
            text = render_cell(row.values.get(column.name))
            if len(text) > widths[place]:
                longest = max(map(len, text.splitlines()), default=0)
                widths[place] = max(widths[place], longest + 1)
    return [min(width, MAX_WIDTH) for width in widths]


def decide_row_height(values: Mapping[str, JsonValue], widths: Mapping[str, int]) -> int | None:
    """The height in points of a row that would be very high; None where the program should decide."""
    is_high = any(
        _count_lines(text, width=widths[name]) > MAX_LINES
        for name, value in values.items()
        if len(text := render_cell(value)) > MAX_LINES
    )
    return MAX_LINES * LINE_HEIGHT if is_high else None


def _count_lines(text: str, *, width: int) -> int:
    """About how many lines a wrapped text takes."""
    if len(text) <= width and "\n" not in text:
        return 1
    return sum(1 + len(line) // width for line in text.splitlines())
