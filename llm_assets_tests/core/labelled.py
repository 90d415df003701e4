"""Items and rows with labels, for scoring."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from llm_assets.core.ids import GroupKey, RowId, WorkId
from llm_assets.core.llm_outputs import ItemOutput, Outcome


def build_item(
    output: Mapping[str, JsonValue] | None = None,
    *,
    row_ids: Sequence[str] = ("r1",),
    outcome: Outcome = "accepted",
    verdict: Mapping[str, JsonValue] | None = None,
    group_key: GroupKey | None = None,
) -> ItemOutput:
    """An item's end, with nothing in it that scoring does not look at."""
    is_accepted = outcome == "accepted"
    return ItemOutput(
        work_id=WorkId(f"w-{row_ids[0]}"),
        row_ids=tuple(map(RowId, row_ids)),
        group_key=group_key,
        group_context_id=None,
        outcome=outcome,
        output=dict(output or {}) if is_accepted else None,
        verdict=dict(verdict) if verdict is not None else None,
        reason=None if is_accepted else "No.",
        attempts=(),
        accepted_at=None,
    )
