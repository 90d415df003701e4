"""Which epoch an item is in at each step, and how far the ledger carries it there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from llm_assets.core.chain import Ends, ReplayedChain, replay_chain
from llm_assets.core.ids import CallKey
from llm_assets.core.item_loop import Ask, advance
from llm_assets.core.item_replay import FindAnswers, ReplayedItem, replay_items
from llm_assets.core.items import Item
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.step import Step

PlaceItem = Callable[[Step, Item], Item]
"""Puts an item that comes to a step into the epoch it has there."""


class Epochs(Protocol):
    """How often items were forced anew, by the keys of their first calls."""

    def has_epochs(self) -> bool:
        """Whether anything was ever forced."""
        ...

    def find_epochs(self, keys: Iterable[CallKey], /) -> Mapping[CallKey, int]:
        """The epochs of those that were forced."""
        ...

    def raise_epochs(self, keys: Iterable[CallKey], /) -> Mapping[CallKey, int]:
        """Start a new epoch for each, and return it."""
        ...


@dataclass(frozen=True, slots=True)
class ForeseenEpochs:
    """The epochs of a ledger as forced runs would leave them, with nothing put on record."""

    recorded: Epochs
    raised: dict[CallKey, int] = field(default_factory=dict[CallKey, int])

    def has_epochs(self) -> bool:
        """Whether anything was ever forced, or would be."""
        return bool(self.raised) or self.recorded.has_epochs()

    def find_epochs(self, keys: Iterable[CallKey], /) -> Mapping[CallKey, int]:
        """The epochs of those that were forced, or would be."""
        wanted = tuple(keys)
        raised = {key: self.raised[key] for key in wanted if key in self.raised}
        return {**self.recorded.find_epochs(wanted), **raised}

    def raise_epochs(self, keys: Iterable[CallKey], /) -> Mapping[CallKey, int]:
        """Remember a new epoch for each, and return it."""
        wanted = tuple(dict.fromkeys(keys))
        found = self.find_epochs(wanted)
        self.raised.update({key: found.get(key, 0) + 1 for key in wanted})
        return {key: self.raised[key] for key in wanted}


@dataclass(frozen=True, kw_only=True)
class Replayer:
    """Leads the items of one run through its steps, as far as the record goes."""

    steps: Sequence[Step]
    find_answers: FindAnswers
    epochs: Epochs
    choice: RunChoice
    settled: set[CallKey] = field(default_factory=set[CallKey])
    """The first calls whose epoch this run has decided on, so that it forces none of them twice."""

    def replay(
        self, items: Sequence[Item], *, given: Sequence[Ends] = ()
    ) -> tuple[ReplayedChain, ...]:
        """Lead every item as far as the record goes, in the epochs that the choice puts it in.

        `given` is what earlier runs left of other steps, for each item.
        """
        if self.choice.is_forced:
            asking = [place for place, item in enumerate(items) if self._may_ask(item)]
            chosen = asking[: self.choice.limit]
            self._force(
                [items[place] for place in chosen],
                given=[given[place] for place in chosen] if given else (),
            )
        return replay_chain(self.steps, items, self._lead, given=given)

    def place_item(self, step: Step, item: Item) -> Item:
        """The item in its epoch at a step that it comes to while the run goes on.

        A forced run asks anew also there: where the answers of the steps before are other ones than last time, its
        first call is known only now. One that has no answer on record is asked in any case.
        """
        if self.choice.is_forced:
            key = build_first_key(step, item)
            if key not in self.settled:
                self.settled.add(key)
                (state,) = self._lead(step, [item])
                if state.answers:
                    self.epochs.raise_epochs([key])
        (placed,) = self._assign_epochs(step, [item])
        return placed

    def _may_ask(self, item: Item) -> bool:
        """Whether no hook leaves the item out, as far as that is known before anything is answered."""
        first = (step for step in self.steps if step.hooks is not None and not step.upstream)
        return all(build_first_key(step, item) for step in first)

    def _lead(self, step: Step, items: Sequence[Item]) -> Sequence[ReplayedItem]:
        return replay_items(step, self._assign_epochs(step, items), self.find_answers)

    def _assign_epochs(self, step: Step, items: Sequence[Item]) -> Sequence[Item]:
        """The items in the epoch a person last forced them into."""
        if not self.epochs.has_epochs():
            return items
        keys = [build_first_key(step, item) for item in items]
        epochs = self.epochs.find_epochs(keys)
        return tuple(
            replace(item, epoch=epochs.get(key, 0)) for item, key in zip(items, keys, strict=True)
        )

    def _force(self, items: Sequence[Item], *, given: Sequence[Ends]) -> None:
        """Begin a new epoch for the first calls that are known, before any of them is sent.

        What a later step was asked follows from the answers on record; most models give the same ones again.
        """
        keys = [
            build_first_key(step, item)
            for step in self.steps
            for item in items
            if not step.upstream
        ]
        later = [step for step in self.steps if step.upstream]
        if later:
            replayed = replay_chain(self.steps, items, self._lead, given=given)
            keys += [
                build_first_key(step, state.item)
                for chain in replayed
                for step, state in zip(self.steps, chain.states, strict=True)
                if step.upstream and state is not None and state.item.steps is not None
            ]
        keys = [key for key in keys if key]
        self.settled.update(keys)
        self.epochs.raise_epochs(keys)


def build_first_key(step: Step, item: Item) -> CallKey:
    """The key of an item's first call at a step, as if it had never been forced; nothing where a hook leaves it out."""
    decision = advance(step, replace(item, epoch=0), (), n_known=0)
    return decision.request.build_key() if isinstance(decision, Ask) else CallKey("")
