"""What a run over a batch is going to do, found by looking up and never by sending."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Protocol

from llm_assets.core.calls import Purpose
from llm_assets.core.ids import BatchKey, CallKey, TaskName, WorkId
from llm_assets.core.item_loop import Ask, advance
from llm_assets.core.item_replay import ReplayedItem, replay_items
from llm_assets.core.items import Item, list_image_warnings
from llm_assets.core.plan import NOTHING_FORESEEN, DueItems, Plan, build_plan, select_due
from llm_assets.core.plan_calls import count_calls
from llm_assets.core.plan_reasons import Reason, RecordedCall, decide_reasons
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.step import Step
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.estimating import Estimator
from llm_assets.gateways.ledger.ledger import Ledger


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """How far the answers on record carry the items of a batch, and what a run does about the rest."""

    replayed: tuple[ReplayedItem, ...]
    due: DueItems
    plan: Plan


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Plans runs of one task."""

    step: Step
    task: TaskName
    connections: Mapping[Purpose, Connection]
    ledger: Ledger
    epochs: Epochs
    """The ledger itself for a run, which puts on record what it forces."""

    def plan_batch(
        self,
        items: Sequence[Item],
        choice: RunChoice,
        *,
        batch: BatchKey,
        foreseen: AbstractSet[CallKey] = NOTHING_FORESEEN,
    ) -> PlannedBatch:
        """Lead every item as far as the record goes, and say why and at what cost the others run.

        `foreseen` are calls that a run before this one sends.
        """
        replayed = self.replay(items, choice)
        due = select_due(replayed, limit=choice.limit, foreseen=foreseen)
        states = [state for _, state in due.chosen]
        reasons = self._find_reasons(states, batch=batch)
        calls = count_calls(self.step, states, reasons)
        estimator = Estimator(
            step=self.step, task=self.task, connections=self.connections, ledger=self.ledger
        )
        plan = build_plan(
            replayed,
            due,
            reasons=reasons,
            calls=calls,
            estimate=estimator.estimate(states, calls),
            warnings=(*self.step.warnings, *list_image_warnings(self.step.images, items)),
        )
        return PlannedBatch(replayed=replayed, due=due, plan=plan)

    def replay(self, items: Sequence[Item], choice: RunChoice) -> tuple[ReplayedItem, ...]:
        """Lead every item as far as the record goes, in the epoch the choice puts it in."""
        epoched = self._assign_epochs(items, choice)
        return replay_items(self.step, epoched, self.ledger.find_answers)

    def _assign_epochs(self, items: Sequence[Item], choice: RunChoice) -> Sequence[Item]:
        """The items in the epoch a person last forced them into; a forced run begins a new one."""
        if not choice.is_forced and not self.epochs.has_epochs():
            return items
        keys = [_build_first_key(self.step, item) for item in items]
        asking = [key for key in keys if key]
        chosen = asking if choice.limit is None else asking[: choice.limit]
        if choice.is_forced:
            self.epochs.raise_epochs(chosen)
        epochs = self.epochs.find_epochs(keys)
        return tuple(
            replace(item, epoch=epochs.get(key, 0)) for item, key in zip(items, keys, strict=True)
        )

    def _find_reasons(
        self, states: Sequence[ReplayedItem], *, batch: BatchKey
    ) -> tuple[Reason, ...]:
        latest = self._find_latest(states, "generate") | self._find_latest(states, "judge")
        works = [state.item.work for state in states]
        unknown = {work.row_ids[0] for work in works if work.work_id not in latest}
        rows = self.ledger.history.find_rows(unknown, task=self.task, batch=batch)
        return decide_reasons(self.step, states, latest=latest, known_rows=rows)

    def _find_latest(
        self, states: Sequence[ReplayedItem], purpose: Purpose
    ) -> dict[WorkId, RecordedCall]:
        work_ids = [state.item.work.work_id for state in states if state.next_purpose == purpose]
        return self.ledger.history.find_latest_calls(work_ids, task=self.task, purpose=purpose)


def _build_first_key(step: Step, item: Item) -> CallKey:
    """The key of an item's first call; nothing where a hook leaves the item out."""
    decision = advance(step, replace(item, epoch=0), (), n_known=0)
    return decision.request.build_key() if isinstance(decision, Ask) else CallKey("")
