"""What runs of a task would do to its batches: the stages before the calls, made in memory, and a plan on top.

Nothing is sent and nothing is written, so it can be asked at any time, also while a run is going on.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from llm_assets.core.calls import CallRequest, Purpose
from llm_assets.core.chain import ReplayedChain
from llm_assets.core.group_contexts import build_group_contexts
from llm_assets.core.ids import BatchKey, CallKey, RowId, StepName
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_loop import Ask, advance
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.plan import Plan
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.step import Step
from llm_assets.core.work_items import WorkItems
from llm_assets.errors import ConfigError, InputError
from llm_assets.gateways.batches import Batch
from llm_assets.gateways.export_foresight import check_batch_ends
from llm_assets.gateways.item_making import make_work_items
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets.gateways.planning import Planner
from llm_assets.gateways.project import Project
from llm_assets.gateways.replaying import ForeseenEpochs
from llm_assets.gateways.schema_texts import build_step_texts
from llm_assets.gateways.snapshots import read_snapshot
from llm_assets.gateways.steps_run import build_items
from llm_assets.gateways.task_schemas import StepSchemas, load_step_schemas
from llm_assets.gateways.task_steps import ConnectedStep, build_task_steps
from llm_assets.gateways.tasks import Task
from llm_assets.gateways.token_counter import TokenCounter, build_token_counter


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCall:
    """The call that an item makes next, or the first one it made where it is at its end."""

    item: Item
    request: CallRequest
    purpose: Purpose
    is_due: bool
    counter: TokenCounter
    """How the tokens of its texts are counted."""
    step: StepName | None = None
    """None where the task names no steps."""

    @property
    def is_approximate(self) -> bool:
        """Whether its tokens are counted otherwise than the model counts them; those of pictures always are."""
        return self.counter.is_approximate or self.request.has_images


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCall:
    """A step whose call to an item is not known, because of what an earlier step did or is going to answer."""

    item: Item
    step: StepName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PreparedBatch:
    snapshot: InputSnapshot
    items: tuple[Item, ...]
    steps: tuple[ConnectedStep, ...]


@dataclass(frozen=True, kw_only=True)
class Foresight:
    """Plans one run after the other, each as if the ones before it had gone well."""

    task: Task
    project: Project
    schemas: StepSchemas
    ledger: Ledger
    epochs: ForeseenEpochs
    foreseen: set[CallKey] = field(default_factory=set[CallKey])
    """The calls of the runs planned so far."""

    def plan_run(self, batch: Batch, choice: RunChoice) -> Plan:
        """What a run over the batch would do; `InputError` and `ConfigError` are those that the run would meet."""
        prepared = self._prepare(batch)
        planned = self._build_planner(prepared.steps).plan_batch(
            prepared.items, choice, batch=batch.key, foreseen=self.foreseen
        )
        self.foreseen.update(key for _, chain in planned.due.chosen for key in chain.next_keys)
        return planned.plan

    def find_next_calls(
        self, batch: Batch, choice: RunChoice, *, row: str
    ) -> tuple[NextCall | UnknownCall, ...]:
        """The calls of the item that answers for a row, word for word, a step each in the order in which they run.

        See `find_item` for `row`.
        """
        prepared = self._prepare(batch)
        item = find_item(prepared.items, prepared.snapshot, row=row, batch=batch.key)
        (chain,) = self._build_planner(prepared.steps).build_replayer(choice).replay([item])
        return tuple(_find_call(each, chain, number) for number, each in enumerate(prepared.steps))

    def _prepare(self, batch: Batch) -> _PreparedBatch:
        settings = self.task.settings
        snapshot = read_snapshot(self.task, self.project, batch.path)
        check_batch_ends(
            self.task, self.project, schemas=self.schemas, columns=snapshot.meta.columns
        )
        contexts = build_group_contexts(
            snapshot,
            grouping=settings.grouping,
            context=settings.context,
            image_columns=settings.image_columns,
        )
        works = make_work_items(self.task, snapshot, contexts)
        return _PreparedBatch(
            snapshot=snapshot, items=build_items(works, contexts), steps=self._build_steps(works)
        )

    def _build_steps(self, works: WorkItems) -> tuple[ConnectedStep, ...]:
        return build_task_steps(
            self.task,
            self.project,
            schemas=self.schemas,
            texts=build_step_texts(self.task, self.schemas),
            columns=works.meta.columns,
            needs_key=False,
        )

    def _build_planner(self, steps: Sequence[ConnectedStep]) -> Planner:
        return Planner(steps=steps, task=self.task.name, ledger=self.ledger, epochs=self.epochs)


@contextmanager
def open_foresight(task: Task, project: Project) -> Generator[Foresight]:
    """Look at the ledger, to plan runs of a task; no key is needed, because nothing is sent.

    `ConfigError` where a run would first have its schema made by a model: nobody knows the prompts before.
    """
    schemas = _load_schemas(task, project)
    with open_ledger_view(project.ledger_url) as ledger:
        yield Foresight(
            task=task,
            project=project,
            schemas=schemas,
            ledger=ledger,
            epochs=ForeseenEpochs(ledger),
        )


def find_item(items: Sequence[Item], snapshot: InputSnapshot, *, row: str, batch: BatchKey) -> Item:
    """The item called `row`, or the one that answers for the row of this number, the first below the header being 1.

    `InputError` where there is none.
    """
    for item in items:
        if item.work.work_id == row:
            return item
    number = int(row) if row.isascii() and row.isdecimal() else 0
    if not 1 <= number <= len(snapshot.records):
        raise InputError(
            f"Batch {batch} has no row and no work item {row!r}.",
            remedy=f"Give a row's number from 1 to {len(snapshot.records)}, or a work id.",
        )
    row_id: RowId = snapshot.records[number - 1].row_id
    return next(item for item in items if row_id in item.work.row_ids)


def _load_schemas(task: Task, project: Project) -> StepSchemas:
    is_made = task.schema_path.exists() and not task.settings.schema_.force
    if is_made or task.settings.schema_.generate is None:
        return load_step_schemas(task, project)
    raise ConfigError(
        f"The schema of task {task.name!r} is made by a model first, and the plan depends on it; nothing was sent.",
        remedy="Run with `--limit 1` to have it made, take out `schema.force`, or write the module yourself.",
    )


def _find_call(each: ConnectedStep, chain: ReplayedChain, number: int) -> NextCall | UnknownCall:
    step, state = each.step, chain.states[number]
    asked = None if state is None else _ask(step, state)
    if state is None or asked is None:
        end = None if state is None else state.output
        reason = (end and end.reason) or "Its words show what an earlier step is going to answer."
        return UnknownCall(item=chain.item, step=step.name or StepName(""), reason=reason)
    connection = each.connections[asked.purpose]
    return NextCall(
        item=state.item,
        request=asked.request,
        purpose=asked.purpose,
        is_due=state.next_key is not None,
        counter=build_token_counter(
            asked.request.settings.model, is_offline=connection.endpoint.is_offline
        ),
        step=step.name,
    )


def _ask(step: Step, state: ReplayedItem) -> Ask | None:
    """The item's next call; the first one of an item that is at its end, if it ever had one."""
    if state.output is not None and state.output.outcome == "blocked":
        return None
    for answers in (state.answers, ()):
        decision = advance(step, state.item, answers, n_known=len(answers))
        if isinstance(decision, Ask):
            return decision
    if step.hooks is not None and state.output is not None:
        raise InputError(
            f"Nothing is asked about this item: {state.output.reason}",
            remedy="Choose another row, or change what the request hook returns for it.",
        )
    return None
