"""What runs of a task would do to its batches: the stages before the calls, made in memory, and a plan on top.

Nothing is sent and nothing is written, so it can be asked at any time, also while a run is going on.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from llm_assets.core.calls import CallRequest, Purpose
from llm_assets.core.group_contexts import build_group_contexts
from llm_assets.core.ids import BatchKey, CallKey, RowId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_loop import Ask, advance
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.plan import Plan
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.step import Step
from llm_assets.core.work_items import WorkItems
from llm_assets.errors import ConfigError, InputError
from llm_assets.gateways.batches import Batch
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.export_foresight import check_batch_ends
from llm_assets.gateways.generation import build_items
from llm_assets.gateways.item_making import make_work_items
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets.gateways.planning import ForeseenEpochs, Planner
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_modules import SchemaModule
from llm_assets.gateways.snapshots import read_snapshot
from llm_assets.gateways.task_schemas import load_task_schema
from llm_assets.gateways.task_steps import build_connections, build_task_step, check_task_budget
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

    @property
    def is_approximate(self) -> bool:
        """Whether its tokens are counted otherwise than the model counts them; those of pictures always are."""
        return self.counter.is_approximate or self.request.has_images


@dataclass(frozen=True, slots=True, kw_only=True)
class _PreparedBatch:
    snapshot: InputSnapshot
    items: tuple[Item, ...]
    step: Step


@dataclass(frozen=True, kw_only=True)
class Foresight:
    """Plans one run after the other, each as if the ones before it had gone well."""

    task: Task
    project: Project
    module: SchemaModule
    connections: dict[Purpose, Connection]
    ledger: Ledger
    epochs: ForeseenEpochs
    foreseen: set[CallKey] = field(default_factory=set[CallKey])
    """The calls of the runs planned so far."""

    def plan_run(self, batch: Batch, choice: RunChoice) -> Plan:
        """What a run over the batch would do; `InputError` and `ConfigError` are those that the run would meet."""
        prepared = self._prepare(batch)
        planned = self._build_planner(prepared.step).plan_batch(
            prepared.items, choice, batch=batch.key, foreseen=self.foreseen
        )
        due = [state.next_key for _, state in planned.due.chosen]
        self.foreseen.update(key for key in due if key is not None)
        return planned.plan

    def find_next_call(self, batch: Batch, choice: RunChoice, *, row: str) -> NextCall:
        """The call of the item that answers for a row, word for word; see `find_item` for `row`."""
        prepared = self._prepare(batch)
        item = find_item(prepared.items, prepared.snapshot, row=row, batch=batch.key)
        (state,) = self._build_planner(prepared.step).replay([item], choice)
        asked = _ask(prepared.step, state)
        connection = self.connections[asked.purpose]
        return NextCall(
            item=state.item,
            request=asked.request,
            purpose=asked.purpose,
            is_due=state.next_key is not None,
            counter=build_token_counter(
                asked.request.settings.model, is_offline=connection.endpoint.is_offline
            ),
        )

    def _prepare(self, batch: Batch) -> _PreparedBatch:
        settings = self.task.settings
        snapshot = read_snapshot(self.task, self.project, batch.path)
        check_batch_ends(self.task, self.project, module=self.module, columns=snapshot.meta.columns)
        contexts = build_group_contexts(
            snapshot,
            grouping=settings.grouping,
            context=settings.context,
            image_columns=settings.image_columns,
        )
        works = make_work_items(self.task, snapshot, contexts)
        return _PreparedBatch(
            snapshot=snapshot, items=build_items(works, contexts), step=self._build_step(works)
        )

    def _build_step(self, works: WorkItems) -> Step:
        models = {self.task.settings.schema_.output_model: self.module.output_model}
        step = build_task_step(
            self.task,
            self.project,
            module=self.module,
            connections=self.connections,
            schema_text=build_schema_text(models),
            columns=works.meta.columns,
        )
        check_task_budget(self.task, step, self.connections)
        return step

    def _build_planner(self, step: Step) -> Planner:
        return Planner(
            step=step,
            task=self.task.name,
            connections=self.connections,
            ledger=self.ledger,
            epochs=self.epochs,
        )


@contextmanager
def open_foresight(task: Task, project: Project) -> Generator[Foresight]:
    """Look at the ledger, to plan runs of a task; no key is needed, because nothing is sent.

    `ConfigError` where a run would first have its schema made by a model: nobody knows the prompts before.
    """
    module = _load_schema(task, project)
    with open_ledger_view(project.ledger_url) as ledger:
        yield Foresight(
            task=task,
            project=project,
            module=module,
            connections=build_connections(task, project, needs_key=False),
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


def _load_schema(task: Task, project: Project) -> SchemaModule:
    is_made = task.schema_path.exists() and not task.settings.schema_.force
    if is_made or task.settings.schema_.generate is None:
        return load_task_schema(task, project)
    raise ConfigError(
        f"The schema of task {task.name!r} is made by a model first, and the plan depends on it; nothing was sent.",
        remedy="Run with `--limit 1` to have it made, take out `schema.force`, or write the module yourself.",
    )


def _ask(step: Step, state: ReplayedItem) -> Ask:
    """The item's next call; the first one of an item that is at its end."""
    for answers in (state.answers, ()):
        decision = advance(step, state.item, answers, n_known=len(answers))
        if isinstance(decision, Ask):
            return decision
    reason = state.output.reason if state.output is not None else None
    raise InputError(
        f"Nothing is asked about this item: {reason}",
        remedy="Choose another row, or change what the request hook returns for it.",
    )
