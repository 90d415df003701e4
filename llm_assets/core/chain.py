"""How far the answers on record carry items on their way through several steps."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from llm_assets.core.calls import Answer
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import CallKey, StepName
from llm_assets.core.images import build_content
from llm_assets.core.item_ends import build_end
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.step import Step

Ends = Mapping[StepName, ItemOutput]
"""What became of an item in each of some steps."""
NO_ENDS: Ends = MappingProxyType({})
Lead = Callable[[Step, Sequence[Item]], Sequence[ReplayedItem]]
"""Leads items of one step as far as the record goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedChain:
    """How far an item is in each step of a run."""

    item: Item
    """As it enters the first step."""
    states: tuple[ReplayedItem | None, ...]
    """In the order of the steps; None where a step waits for what an earlier one is still to answer."""
    given: Ends = field(default_factory=lambda: NO_ENDS)
    """What earlier runs left of steps that this run leaves alone."""

    @property
    def next_keys(self) -> tuple[CallKey, ...]:
        """The calls that can be sent now: steps that do not need each other go on side by side."""
        return tuple(
            state.next_key
            for state in self.states
            if state is not None and state.next_key is not None
        )

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers on record, step by step."""
        return tuple(
            answer for state in self.states if state is not None for answer in state.answers
        )


DueChain = tuple[int, ReplayedChain]
"""An item that needs a call, with its place among the batch's items."""


def replay_chain(
    steps: Sequence[Step], items: Sequence[Item], lead: Lead, *, given: Sequence[Ends] = ()
) -> tuple[ReplayedChain, ...]:
    """Lead every item through the steps, in their order, as far as the answers on record go.

    `given` holds for each item what became of it in steps that are none of these.
    """
    ends = [dict(each) for each in given] or [dict[StepName, ItemOutput]() for _ in items]
    by_step: list[list[ReplayedItem | None]] = []
    for step in steps:
        entered = [enter_step(step, item, known) for item, known in zip(items, ends, strict=True)]
        led = iter(lead(step, [each for each in entered if isinstance(each, Item)]))
        states = [next(led) if isinstance(each, Item) else each for each in entered]
        for state, known in zip(states, ends, strict=True):
            if step.name is not None and state is not None and state.output is not None:
                known[step.name] = state.output
        by_step.append(states)
    columns = zip(*by_step, strict=True) if by_step else [()] * len(items)
    return tuple(
        ReplayedChain(item=item, states=states, given=given[place] if given else NO_ENDS)
        for place, (item, states) in enumerate(zip(items, columns, strict=True))
    )


def enter_step(step: Step, item: Item, ends: Ends) -> Item | ReplayedItem | None:
    """The item as a step sees it; its end where an earlier step has no accepted output for it.

    None as long as one of the earlier steps is not at its end.
    """
    if not step.upstream:
        return item
    if any(name not in ends for name in step.upstream):
        return None
    stopped = next((name for name in step.upstream if ends[name].outcome != "accepted"), None)
    if stopped is not None:
        return _block(item, stopped, ends[stopped])
    return replace(item, steps={name: ends[name].output or {} for name in step.upstream})


def _block(item: Item, stopped: StepName, end: ItemOutput) -> ReplayedItem:
    reason = f"Step {stopped!r} has no accepted output for this item: {end.outcome}."
    output = build_end(item, "blocked", reason, ())
    return ReplayedItem(item=item, answers=(), output=output, next_key=None, next_purpose=None)


def is_barred(step: Step, ends: Ends) -> bool:
    """Whether it is known already that an item does not get to a step."""
    return any(name in ends and ends[name].outcome != "accepted" for name in step.upstream)


def list_ends(steps: Sequence[Step], chain: ReplayedChain) -> dict[StepName, ItemOutput]:
    """What became of an item in the steps that it is done with."""
    ends = dict(chain.given)
    for step, state in zip(steps, chain.states, strict=True):
        if step.name is not None and state is not None and state.output is not None:
            ends[step.name] = state.output
    return ends


def group_identical(steps: Sequence[Step], due: Iterable[DueChain]) -> list[list[DueChain]]:
    """Items whose calls are all the same calls: one of them asks, all of them get its ends."""
    groups: dict[object, list[DueChain]] = defaultdict(list)
    for place, chain in due:
        groups[chain.next_keys, _build_likeness(steps, chain)].append((place, chain))
    return list(groups.values())


def _build_likeness(steps: Sequence[Step], chain: ReplayedChain) -> object:
    """What of an item its next calls may not show, but a judge, a hook or a later step may: such items part at a later call."""
    if len(steps) == 1 and not steps[0].can_part_items and not steps[0].upstream:
        return None
    work = chain.item.work
    shares = all(step.attempts.share_identical for step in steps)
    given = {name: end.output for name, end in chain.given.items()}
    is_hooked = any(step.hooks is not None for step in steps)
    own_ids = [work.work_id, work.row_ids] if is_hooked else []
    # Of two items with other pictures, a step that is shown none may ask the same.
    own_ids += build_content(work.images)
    likeness = fingerprint([work.values, work.group_key, work.group_context_id, given, *own_ids])
    return likeness if shares else (likeness, work.occurrence)
