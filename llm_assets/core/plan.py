"""What a run is going to do and to cost, said before the first call."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from llm_assets.core.chain import DueChain, ReplayedChain
from llm_assets.core.ids import CallKey, StepName
from llm_assets.core.plan_calls import CallCounts
from llm_assets.core.plan_cost import Estimate
from llm_assets.core.plan_reasons import REASONS, Reason

NOTHING_FORESEEN: AbstractSet[CallKey] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItems:
    """The items a run is about, each with its place among all items."""

    chosen: tuple[DueChain, ...]
    n_left_out: int
    """Those beyond the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What a run is going to do in one of several steps."""

    step: StepName
    reasons: tuple[tuple[Reason, int], ...]
    """Why items run whose calls are known."""
    n_waiting: int
    """Items that wait for what an earlier step is going to answer."""
    calls: CallCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The numbers of a run before it starts."""

    n_items: int
    n_answered: int
    """Items whose end follows from answers on record, or from those of a run before this one."""
    reasons: tuple[tuple[Reason, int], ...]
    """Why items run, and how many for each reason that there is; an item has one reason."""
    n_left_out: int
    """Items that are due but beyond the limit of this run."""
    calls: CallCounts
    n_calls_reused: int
    estimate: Estimate
    n_without_call: int = 0
    """Items at their end without any answer: a hook skips them, or a picture cannot be shown."""
    steps: tuple[StepPlan, ...] = ()
    """In the order in which they run; none where the task names no steps."""
    warnings: tuple[str, ...] = ()
    """What a person may want to mend in the prompts first."""

    @property
    def n_to_run(self) -> int:
        """Items that this run is about."""
        return sum(count for _, count in self.reasons)

    @property
    def n_calls_to_send(self) -> int:
        """Of the model and the judge; one that is not accepted takes further calls."""
        return self.calls.n_generate + self.calls.n_judge

    @property
    def is_approximate(self) -> bool:
        """Whether the token counts behind the cost are ours."""
        return self.estimate.is_approximate


def select_due(
    replayed: Sequence[ReplayedChain],
    *,
    limit: int | None,
    foreseen: AbstractSet[CallKey] = NOTHING_FORESEEN,
) -> DueItems:
    """The first `limit` items that need a call.

    `foreseen` are calls that an earlier run of the same plan sends: an item that waits for one of them finds its
    answer on record when its own turn comes.
    """
    due = [
        (place, chain)
        for place, chain in enumerate(replayed)
        if any(key not in foreseen for key in chain.next_keys)
    ]
    chosen = tuple(due if limit is None else due[:limit])
    return DueItems(chosen=chosen, n_left_out=len(due) - len(chosen))


def build_plan(
    replayed: Sequence[ReplayedChain],
    due: DueItems,
    *,
    reasons: Sequence[Reason],
    calls: CallCounts,
    estimate: Estimate,
    steps: tuple[StepPlan, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Plan:
    """Count what is there and what is to be done; `reasons` are those of the chosen items."""
    n_without_call = sum(not chain.next_keys and not chain.answers for chain in replayed)
    return Plan(
        n_items=len(replayed),
        n_answered=len(replayed) - n_without_call - len(due.chosen) - due.n_left_out,
        n_without_call=n_without_call,
        reasons=count_reasons(reasons),
        n_left_out=due.n_left_out,
        calls=calls,
        n_calls_reused=len({answer.key for chain in replayed for answer in chain.answers}),
        estimate=estimate,
        steps=steps,
        warnings=warnings,
    )


def count_reasons(reasons: Sequence[Reason]) -> tuple[tuple[Reason, int], ...]:
    """How many for each reason that there is, in the order of the reasons."""
    counts = Counter(reasons)
    return tuple((reason, counts[reason]) for reason in REASONS if counts[reason])
