"""What a run over a batch is going to do, found by looking up and never by sending."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from llm_assets.core.calls import Purpose
from llm_assets.core.chain import (
    DueChain,
    Ends,
    ReplayedChain,
    group_identical,
    is_barred,
    list_ends,
)
from llm_assets.core.ids import BatchKey, CallKey, TaskName, WorkId
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item, list_image_warnings
from llm_assets.core.plan import (
    NOTHING_FORESEEN,
    DueItems,
    Plan,
    StepPlan,
    build_plan,
    count_reasons,
    select_due,
)
from llm_assets.core.plan_calls import (
    FRESH_REASONS,
    CallCounts,
    add_calls,
    count_calls,
    expect_calls,
)
from llm_assets.core.plan_reasons import Reason, RecordedCall, decide_reasons
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.step import Step
from llm_assets.gateways.estimating import Estimator, StepCalls
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.replaying import Epochs, Replayer
from llm_assets.gateways.task_steps import ConnectedStep


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """How far the answers on record carry the items of a batch, and what a run does about the rest."""

    replayed: tuple[ReplayedChain, ...]
    due: DueItems
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlannedStep:
    """The chosen items in one step."""

    connected: ConnectedStep
    reasons: dict[int, Reason]
    """Why the items run whose calls are known, by their places."""
    calls: StepCalls


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Plans runs of one task."""

    steps: Sequence[ConnectedStep]
    """Those that the run is about, in the order in which they run."""
    task: TaskName
    ledger: Ledger
    epochs: Epochs
    """The ledger itself for a run, which puts on record what it forces."""

    def build_replayer(self, choice: RunChoice) -> Replayer:
        """What leads the items of a run through its steps."""
        return Replayer(
            steps=[each.step for each in self.steps],
            find_answers=self.ledger.find_answers,
            epochs=self.epochs,
            choice=choice,
        )

    def plan_batch(
        self,
        items: Sequence[Item],
        choice: RunChoice,
        *,
        batch: BatchKey,
        foreseen: AbstractSet[CallKey] = NOTHING_FORESEEN,
        given: Sequence[Ends] = (),
        replayer: Replayer | None = None,
    ) -> PlannedBatch:
        """Lead every item as far as the record goes, and say why and at what cost the others run.

        `foreseen` are calls that a run before this one sends, `given` what earlier runs left of other steps.
        """
        replayed = (replayer or self.build_replayer(choice)).replay(items, given=given)
        due = select_due(replayed, limit=choice.limit, foreseen=foreseen)
        planned = list(self._plan_steps(due.chosen, batch=batch))
        first: dict[int, Reason] = {}
        for step in planned:
            first = step.reasons | first
        estimator = Estimator(task=self.task, ledger=self.ledger)
        plan = build_plan(
            replayed,
            due,
            reasons=[first[place] for place, _ in due.chosen],
            calls=add_calls([each.calls.counts for each in planned]),
            estimate=estimator.estimate([(each.connected, each.calls) for each in planned]),
            steps=tuple(_list_step_plans(planned)),
            warnings=_list_warnings(self.steps, items),
        )
        return PlannedBatch(replayed=replayed, due=due, plan=plan)

    def _plan_steps(self, chosen: Sequence[DueChain], *, batch: BatchKey) -> Iterator[_PlannedStep]:
        known: dict[int, Reason] = {}
        for number, each in enumerate(self.steps):
            states = {
                place: state
                for place, chain in chosen
                if (state := chain.states[number]) is not None and state.next_key is not None
            }
            due = list(states.values())
            found = self._find_reasons(each.step, due, batch=batch)
            reasons = dict(zip(states, found, strict=True))
            known = reasons | known
            counts = count_calls(each.step, due, found)
            waiting = self._list_waiting(number, chosen)
            if waiting:
                n_sure = sum(known[place] in FRESH_REASONS for place in waiting)
                counts = expect_calls(each.step, counts, n_items=len(waiting), n_sure=n_sure)
            calls = StepCalls(due=due, counts=counts)
            yield _PlannedStep(connected=each, reasons=reasons, calls=calls)

    def _list_waiting(self, number: int, chosen: Sequence[DueChain]) -> list[int]:
        """The places of items that are likely to get to a step which waits for an earlier one; equal ones count once."""
        steps = [each.step for each in self.steps]
        waiting = [
            (place, chain)
            for place, chain in chosen
            if chain.states[number] is None
            and not is_barred(steps[number], list_ends(steps, chain))
        ]
        return [identical[0][0] for identical in group_identical(steps, waiting)]

    def _find_reasons(
        self, step: Step, states: Sequence[ReplayedItem], *, batch: BatchKey
    ) -> tuple[Reason, ...]:
        latest = self._find_latest(step, states, "generate")
        latest |= self._find_latest(step, states, "judge")
        works = [state.item.work for state in states]
        unknown = {work.row_ids[0] for work in works if work.work_id not in latest}
        rows = self.ledger.history.find_rows(unknown, task=self.task, batch=batch, step=step.name)
        return decide_reasons(step, states, latest=latest, known_rows=rows)

    def _find_latest(
        self, step: Step, states: Sequence[ReplayedItem], purpose: Purpose
    ) -> dict[WorkId, RecordedCall]:
        work_ids = [state.item.work.work_id for state in states if state.next_purpose == purpose]
        return self.ledger.history.find_latest_calls(
            work_ids, task=self.task, purpose=purpose, step=step.name
        )


def _list_warnings(steps: Sequence[ConnectedStep], items: Sequence[Item]) -> tuple[str, ...]:
    found = [
        warning
        for each in steps
        for warning in (*each.step.warnings, *list_image_warnings(each.step.images, items))
    ]
    return tuple(dict.fromkeys(found))


def _list_step_plans(planned: Sequence[_PlannedStep]) -> Iterator[StepPlan]:
    for each in planned:
        name = each.connected.step.name
        if name is not None:
            counts: CallCounts = each.calls.counts
            yield StepPlan(
                step=name,
                reasons=count_reasons(list(each.reasons.values())),
                n_waiting=counts.n_expected,
                calls=counts,
            )
