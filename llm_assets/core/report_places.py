"""Where an item stands in the source, as a report names it."""

from collections.abc import Mapping

from llm_assets.core.ids import GroupKey, RowId, WorkId
from llm_assets.core.input_snapshot import InputRow
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.values import FrozenModel

MAX_LINES = 5
"""Source lines named for one item; a group may have thousands."""


class ItemPlace(FrozenModel):
    """Where an item stands in the source."""

    work_id: WorkId
    group_key: GroupKey | None
    n_rows: int
    lines: tuple[int, ...]
    """Where its first rows start in the source, from 1."""


def build_place(item: ItemOutput, rows: Mapping[RowId, InputRow]) -> ItemPlace:
    """The item's group and first lines."""
    return ItemPlace(
        work_id=item.work_id,
        group_key=item.group_key,
        n_rows=len(item.row_ids),
        lines=tuple(rows[row_id].line for row_id in item.row_ids[:MAX_LINES]),
    )
