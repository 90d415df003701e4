"""How an item's attempts and its end are put down."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue

from llm_assets.core.calls import Answer, Fault, Purpose
from llm_assets.core.ids import CallKey
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import Attempt, ItemOutput, Outcome
from llm_assets.core.work_items import WorkItem

BEYOND_LIMIT = "Not asked: beyond the limit of this run."


def build_attempt(
    answer: Answer,
    *,
    number: int,
    purpose: Purpose,
    problem: str | None,
    is_repaired: bool,
    verdict: bool | None = None,
) -> Attempt:
    """An answered call; `number` is that of the generation it belongs to."""
    return Attempt(
        number=number,
        purpose=purpose,
        call_key=answer.key,
        finish_reason=answer.finish_reason,
        problem=problem,
        is_repaired=is_repaired,
        verdict=verdict,
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
        cached_tokens=answer.usage.cached_tokens,
        is_approximate=answer.usage.is_approximate,
        cost_usd=answer.cost_usd,
        answered_at=answer.answered_at,
    )


def build_fault_attempt(key: CallKey, fault: Fault, *, number: int, purpose: Purpose) -> Attempt:
    """A call that brought no answer."""
    return Attempt(
        number=number,
        purpose=purpose,
        call_key=key,
        finish_reason=None,
        problem=fault.message,
        is_repaired=False,
        prompt_tokens=0,
        completion_tokens=0,
        cached_tokens=0,
        is_approximate=False,
        # A provider may charge for an answer that we stopped waiting for; it charges for no other fault.
        cost_usd=None if fault.kind == "timed_out" else Decimal(0),
        answered_at=None,
    )


def build_end(
    item: Item,
    outcome: Outcome,
    reason: str | None,
    tried: Sequence[Attempt],
    *,
    output: dict[str, JsonValue] | None = None,
    verdict: dict[str, JsonValue] | None = None,
    accepted_at: datetime | None = None,
    parse_errors: tuple[str, ...] = (),
    score: float | None = None,
) -> ItemOutput:
    """What became of an item."""
    work = item.work
    return ItemOutput(
        work_id=work.work_id,
        row_ids=work.row_ids,
        group_key=work.group_key,
        group_context_id=work.group_context_id,
        outcome=outcome,
        output=output,
        verdict=verdict,
        reason=reason,
        attempts=tuple(tried),
        accepted_at=accepted_at,
        parse_errors=parse_errors,
        extra=None if item.extra is None else dict(item.extra),
        score=score,
    )


def assign_output(output: ItemOutput, work: WorkItem) -> ItemOutput:
    """The same end for another item whose calls are the same calls."""
    return replace(
        output,
        work_id=work.work_id,
        row_ids=work.row_ids,
        group_key=work.group_key,
        group_context_id=work.group_context_id,
    )
