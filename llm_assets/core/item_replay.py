"""How far the answers on record carry a batch, and what is still to be asked.

Replaying sends nothing. It serves a plan and the beginning of every run alike.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from llm_assets.core.calls import Answer, Purpose
from llm_assets.core.ids import CallKey
from llm_assets.core.item_loop import Ask, Done, advance
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.step import Step

FindAnswers = Callable[[Iterable[CallKey]], Mapping[CallKey, Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedItem:
    """How far an item is: at its end, or before a call that has no answer yet.

    The call itself is not kept, only its key: with a million items waiting, their texts would fill the memory.
    """

    item: Item
    answers: tuple[Answer, ...]
    output: ItemOutput | None
    next_key: CallKey | None
    """The call to be sent; None where the item is at its end."""
    next_purpose: Purpose | None
    """What that call is for."""


def replay_items(
    step: Step, items: Sequence[Item], find_answers: FindAnswers
) -> tuple[ReplayedItem, ...]:
    """Lead every item as far as its answers on record go, in item order.

    Goes in rounds, one look-up for all items each: a first look-up for the first calls, a second one for those
    that need a second call, and so on.
    """
    replayed = [_lead_on(step, item, ()) for item in items]
    indices = range(len(replayed))
    while indices:
        keys = {index: key for index in indices if (key := replayed[index].next_key) is not None}
        found = find_answers(dict.fromkeys(keys.values()))
        indices = [index for index, key in keys.items() if key in found]
        for index in indices:
            known = (*replayed[index].answers, found[keys[index]])
            replayed[index] = _lead_on(step, items[index], known)
    return tuple(replayed)


def _lead_on(step: Step, item: Item, answers: tuple[Answer, ...]) -> ReplayedItem:
    state = advance(step, item, answers, n_known=len(answers))
    match state:
        case Ask(request=request, purpose=asked):
            key, purpose, output = request.build_key(), asked, None
        case Done(output=end):
            key, purpose, output = None, None, end
        case _:
            assert_never(state)
    return ReplayedItem(
        item=item, answers=answers, output=output, next_key=key, next_purpose=purpose
    )
