"""What people and later pipelines get to see of the rows behind an item."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from llm_assets.config.grouping import Mode
from llm_assets.core.ids import RowId
from llm_assets.core.input_snapshot import InputRow

ROWS = "rows"
"""Where the rows of a whole group stand."""


def build_input(
    row_ids: Sequence[RowId], rows: Mapping[RowId, InputRow], mode: Mode
) -> dict[str, JsonValue]:
    """The cells of an item's row; of an item that is a whole group, its rows as a list under `rows`."""
    cells: list[dict[str, JsonValue]] = [dict(rows[row_id].values) for row_id in row_ids]
    if mode != "group_output":
        return cells[0]
    members: list[JsonValue] = [*cells]
    return {ROWS: members}
