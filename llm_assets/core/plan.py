"""What a run is going to do and to cost, said before the first call."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from llm_assets.core.item_replay import ReplayedItem

GUESSED_COMPLETION_TOKENS = 200
"""The length of an answer where this task has none on record yet and sets no cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The numbers of a run before it starts."""

    n_items: int
    n_answered: int
    """Items whose end follows from answers on record."""
    n_to_run: int
    n_left_out: int
    """Items that are due but beyond the limit of this run."""
    n_calls_to_send: int
    """At least so many: equal requests share a call, an answer that is not accepted takes another."""
    n_calls_reused: int
    expected_cost_usd: Decimal | None
    """None where the price is not known."""
    is_approximate: bool
    """Whether the token counts behind the cost are ours."""


def select_due(
    replayed: Sequence[ReplayedItem], *, limit: int | None
) -> tuple[tuple[int, ReplayedItem], ...]:
    """The first `limit` items that need a call, with their place among all items."""
    due = [(index, state) for index, state in enumerate(replayed) if state.next_key is not None]
    return tuple(due if limit is None else due[:limit])


def estimate_tokens(lengths: Sequence[int], *, cap: int | None) -> int:
    """The likely length of an answer: the mean of those on record, else a guess below the cap."""
    if lengths:
        return round(fmean(lengths))
    return min(cap or GUESSED_COMPLETION_TOKENS, GUESSED_COMPLETION_TOKENS)


def build_plan(
    replayed: Sequence[ReplayedItem],
    due: Sequence[tuple[int, ReplayedItem]],
    *,
    cost_per_call_usd: Decimal | None,
    is_approximate: bool,
) -> Plan:
    """Count what is there and what is to be done."""
    n_due = sum(state.next_key is not None for state in replayed)
    n_calls = len({state.next_key for _, state in due})
    return Plan(
        n_items=len(replayed),
        n_answered=len(replayed) - n_due,
        n_to_run=len(due),
        n_left_out=n_due - len(due),
        n_calls_to_send=n_calls,
        n_calls_reused=len({answer.key for state in replayed for answer in state.answers}),
        expected_cost_usd=None if cost_per_call_usd is None else cost_per_call_usd * n_calls,
        is_approximate=is_approximate,
    )
