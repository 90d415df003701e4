"""Why an item needs a call, told by what its next call is made from and what its last one was made from."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, get_args

from llm_assets.core.calls import CallOrigin
from llm_assets.core.ids import CallKey, GroupContextId, RowId, Sha256, WorkId
from llm_assets.core.item_origin import build_origin
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.step import Step

Reason = Literal[
    "new",
    "row_changed",
    "group_changed",
    "upstream_changed",
    "prompt_changed",
    "schema_changed",
    "settings_changed",
    "judge_changed",
    "failed_before",
    "forced",
]
"""Why an item is asked. Where several things changed, the first one in this order counts.

`new`: no call of this task was ever made for the item. `row_changed`: its row is on record for the batch with other
content. `group_changed`: the text of its group is another one. `upstream_changed`: an earlier step answered something
else. `settings_changed`: the model, the endpoint or a
parameter. `judge_changed`: it has a valid answer that this judge, as it is now, was not asked about; the judge may
be new. `failed_before`: it was asked with the same words and has no accepted output, be it that its answers were no
good, that no answer came, or that a run was stopped half-way. `forced`: only because a person forces it.
"""

REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """What an item's latest call on record was made from."""

    group_context_id: GroupContextId | None
    prompt_sha256: Sha256
    schema_sha256: Sha256
    settings_sha256: Sha256
    is_answered: bool
    upstream_sha256: Sha256 | None = None


def decide_reasons(
    step: Step,
    due: Sequence[ReplayedItem],
    *,
    latest: Mapping[WorkId, RecordedCall],
    known_rows: AbstractSet[RowId],
) -> tuple[Reason, ...]:
    """Why each of the due items needs its next call.

    Items that share a call share its reason: of equal rows only one is on record as what the call was made for.

    Args:
        step: What is asked of every item.
        due: Items before a call that has no answer.
        latest: For each item, its latest call on record with the purpose of its next one, answered or not.
        known_rows: The first rows of items that are on record for this batch, as part of whatever item.
    """
    reasons: list[Reason] = []
    shared: dict[CallKey | None, Reason] = {}
    for state in due:
        work = state.item.work
        own = latest.get(work.work_id)
        origin = build_origin(step, state.item, state.next_purpose or "generate")
        is_row_known = work.row_ids[0] in known_rows
        reason = decide_reason(state, origin, latest=own, is_row_known=is_row_known)
        reasons.append(reason)
        if own is not None:
            shared.setdefault(state.next_key, reason)
    return tuple(
        reason if state.item.work.work_id in latest else shared.get(state.next_key, reason)
        for state, reason in zip(due, reasons, strict=True)
    )


def decide_reason(
    state: ReplayedItem, origin: CallOrigin, *, latest: RecordedCall | None, is_row_known: bool
) -> Reason:
    """Why an item that is due needs its next call.

    Args:
        state: The item, before a call that has no answer.
        origin: What that call is made from.
        latest: The item's latest call of the same purpose on record, answered or not.
        is_row_known: Whether the item's first row is on record for this batch, as part of whatever item.
    """
    change = None if latest is None else _find_change(origin, latest)
    if state.next_purpose == "judge":
        return "failed_before" if latest is not None and change is None else "judge_changed"
    if change is not None:
        return change
    if state.answers:
        return "failed_before"
    if latest is None:
        return _explain_unknown(state) if is_row_known else "new"
    if not latest.is_answered:
        return "failed_before"
    # The same words have an answer, so what differs is what no hash of the record covers: the epoch, else the cap
    # on the answer's length or whether equal rows share an answer.
    return "forced" if state.item.epoch else "settings_changed"


def _find_change(origin: CallOrigin, latest: RecordedCall) -> Reason | None:
    """The first part of the call that is another one by now."""
    if origin.group_context_id != latest.group_context_id:
        return "group_changed"
    if origin.upstream_sha256 != latest.upstream_sha256:
        return "upstream_changed"
    if origin.prompt_sha256 != latest.prompt_sha256:
        return "prompt_changed"
    if origin.schema_sha256 != latest.schema_sha256:
        return "schema_changed"
    return "settings_changed" if origin.settings_sha256 != latest.settings_sha256 else None


def _explain_unknown(state: ReplayedItem) -> Reason:
    """An item is named by its content: a known row under an unknown name has changed.

    An item that is a whole group is named by the text of all its rows, and holds no values of its own.
    """
    work = state.item.work
    is_row = bool(work.values) or (bool(work.images) and work.group_key is None)
    return "row_changed" if is_row else "group_changed"
