"""Where an item stands in the source, as a report names it."""

from collections.abc import Mapping

from llm_assets.core.ids import GroupKey, RowId, WorkId
from llm_assets.core.input_snapshot import InputRow, InputSnapshot
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.values import FrozenModel

MAX_LINES = 5
"""Source lines named for one item; a group may have thousands."""

NumberedRows = Mapping[RowId, tuple[int, InputRow]]
"""The rows of a batch with their numbers: the first below the header is 1."""


class ItemPlace(FrozenModel):
    """Where an item stands in the source."""

    work_id: WorkId
    group_key: GroupKey | None
    row: int
    """The number of its first row: the first below the header is 1."""
    n_rows: int
    lines: tuple[int, ...]
    """Where its first rows start in the source, from 1."""


def number_rows(snapshot: InputSnapshot) -> NumberedRows:
    """The rows by their ids."""
    return {row.row_id: (number, row) for number, row in enumerate(snapshot.records, start=1)}


def build_place(item: ItemOutput, rows: NumberedRows) -> ItemPlace:
    """The item's group, row and first lines."""
    return ItemPlace(
        work_id=item.work_id,
        group_key=item.group_key,
        row=rows[item.row_ids[0]][0],
        n_rows=len(item.row_ids),
        lines=tuple(rows[row_id][1].line for row_id in item.row_ids[:MAX_LINES]),
    )


def render_rows(place: ItemPlace) -> str:
    """Such as `17 (line 45)`; of an item with several rows the lines where the first ones start."""
    if place.n_rows == 1:
        return f"{place.row:,} (line {place.lines[0]})"
    n_more = place.n_rows - len(place.lines)
    more = f" and {n_more:,} more" if n_more else ""
    return f"{', '.join(map(str, place.lines))}{more}"
