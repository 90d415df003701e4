"""Which stages of which batches did a run fail at, and which are being made right now?"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterEventType

from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph, StageNode
from llm_assets.core.staleness import Cell, Failure
from llm_assets.defs.calling import name_calling_op
from llm_assets.defs.jobs import list_stages_by_job
from llm_assets.defs.scope import TaskScope

PARTITION_TAG = "dagster/partition"
MAX_FAILED_RUNS = 2000
"""Older failures are not looked for."""
MAX_RUNS_READ = 50
PAGE_SIZE = 1000
STOPPED = "The run was stopped; its answers are kept."
_TELLING = {
    DagsterEventType.STEP_START,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.ENGINE_EVENT,
    DagsterEventType.RUN_FAILURE,
}
"""What is read of a run that failed."""
_UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FirstFailure:
    """What ended a run."""

    failed_at_seconds: float
    step: dg.DagsterEvent


@dataclass(frozen=True, kw_only=True)
class RunHistory:
    """The runs that were to make stages of one task."""

    scope: TaskScope
    instance: dg.DagsterInstance
    graph: StageGraph
    batches: Collection[BatchKey] | None = None
    """Only what is about these batches, and about none; None for all."""

    def read_failures(self, told_at_seconds: Mapping[Cell, float]) -> Mapping[Cell, Failure]:
        """The latest failure at every stage that a run failed at, or was stopped at.

        `told_at_seconds` says when each stage was last made or put away. A run of which every stage was told of since
        has nothing to say any more. Reading the events of one takes 20 ms, so of many the latest are read; of the rest
        it is told which step failed first.
        """
        failures: dict[Cell, Failure] = {}
        unmended = tuple(self._list_unmended(told_at_seconds))
        is_many = len(unmended) > MAX_RUNS_READ
        firsts: Mapping[str, _FirstFailure] = self._read_first_failures() if is_many else {}
        for number, (run, cells) in enumerate(unmended):
            first = firsts.get(run.run_id) if number >= MAX_RUNS_READ else None
            found = self._tell(first, cells) if first else self._read_failures_of(run, cells)
            for cell, failure in found:
                failures.setdefault(cell, failure)
        return failures

    def _list_unmended(
        self, told_at_seconds: Mapping[Cell, float]
    ) -> Iterator[tuple[dg.DagsterRun, tuple[Cell, ...]]]:
        """The runs that failed or were stopped and have something to say, with the stages they were to make."""
        seen: set[Cell] = set()
        failed = self._build_filter(dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
        for record in self.instance.get_run_records(failed, limit=MAX_FAILED_RUNS):
            cells = self._list_cells(record.dagster_run)
            ended_at_seconds = record.end_time
            is_mended = ended_at_seconds is not None and all(
                told_at_seconds.get(cell, 0.0) > ended_at_seconds for cell in cells
            )
            is_canceled = record.dagster_run.status is dg.DagsterRunStatus.CANCELED
            has_begun = not is_canceled or record.start_time is not None
            if has_begun and not is_mended and not seen.issuperset(cells):
                seen.update(cells)
                yield record.dagster_run, cells

    def _read_first_failures(self) -> Mapping[str, _FirstFailure]:
        """By their ids, the latest runs that failed at a step."""
        found: dict[str, _FirstFailure] = {}
        cursor: str | None = None
        while True:
            page = self.instance.fetch_run_status_changes(
                DagsterEventType.RUN_FAILURE, limit=PAGE_SIZE, cursor=cursor
            )
            for record in page.records:
                ended_by = record.event_log_entry.get_dagster_event().event_specific_data
                # Nothing is there where the run was marked as failed from outside.
                step = getattr(ended_by, "first_step_failure_event", None)
                if isinstance(step, dg.DagsterEvent):
                    found[record.run_id] = _FirstFailure(
                        failed_at_seconds=record.timestamp, step=step
                    )
            if not page.has_more or len(found) >= MAX_FAILED_RUNS:
                return found
            cursor = page.cursor

    def _tell(
        self, first: _FirstFailure, cells: tuple[Cell, ...]
    ) -> Iterator[tuple[Cell, Failure]]:
        for cell in self._find_made_by(first.step.step_key, cells):
            text = _find_text(first.step)
            yield cell, Failure(failed_at_seconds=first.failed_at_seconds, text=text)

    def read_running(self) -> Mapping[Cell, float]:
        """Since when a run waits or is under way that makes a stage, in seconds of Unix time."""
        unfinished = self._build_filter(*_UNFINISHED)
        return {
            cell: record.create_timestamp.timestamp()
            for record in self.instance.get_run_records(unfinished)
            for cell in self._list_cells(record.dagster_run)
        }

    def _build_filter(self, *statuses: dg.DagsterRunStatus) -> dg.RunsFilter:
        tags: dict[str, str] = {}
        if self.batches is not None and len(self.batches) == 1:
            (tags[PARTITION_TAG],) = self.batches
        return dg.RunsFilter(statuses=list(statuses), tags=tags)

    def _read_failures_of(
        self, run: dg.DagsterRun, cells: tuple[Cell, ...]
    ) -> Iterator[tuple[Cell, Failure]]:
        is_told = False
        begun: list[Cell] = []
        made: set[Cell] = set()
        problem: str | None = None
        for entry in self.instance.all_logs(run.run_id, of_type=_TELLING):
            event = entry.get_dagster_event()
            if event.is_step_start:
                begun += self._find_made_by(event.step_key, cells)
            elif event.is_step_materialization:
                made.update(cell for cell in cells if self._build_key(cell) == event.asset_key)
            elif event.is_step_failure:
                is_told = True
                for cell in self._find_made_by(event.step_key, cells):
                    if cell not in made:
                        yield (
                            cell,
                            Failure(failed_at_seconds=entry.timestamp, text=_find_text(event)),
                        )
            elif event.is_engine_event:
                problem = _find_cause(event) or problem
            elif not is_told:  # else the run only says again that a step failed
                text = problem or event.message or "The run did not finish."
                for cell in _find_stopped(cells, begun=begun, made=made):
                    yield cell, Failure(failed_at_seconds=entry.timestamp, text=text)

    def _find_made_by(self, step_key: str | None, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """The stages that a step makes, by its name in the run."""
        names = {cell: self._name_op(cell) for cell in cells}
        return tuple(cell for cell, name in names.items() if name == step_key)

    def _name_op(self, cell: Cell) -> str:
        """What makes the stage in a run; the steps of a chain are made by one op."""
        if cell[0] in self.scope.task.step_names:
            return name_calling_op(self.scope)
        return self._build_key(cell).to_python_identifier()

    def _build_key(self, cell: Cell) -> dg.AssetKey:
        return self.scope.build_key(cell[0])

    def _list_cells(self, run: dg.DagsterRun) -> tuple[Cell, ...]:
        """The stages that a run makes; none where it is about other assets."""
        partition = run.tags.get(PARTITION_TAG)
        batch = None if partition is None else BatchKey(partition)
        cells = ((node.name, batch if node.is_batched else None) for node in self._list_nodes(run))
        return tuple(cell for cell in cells if self._is_asked_for(cell[1]))

    def _is_asked_for(self, batch: BatchKey | None) -> bool:
        return batch is None or self.batches is None or batch in self.batches

    def _list_nodes(self, run: dg.DagsterRun) -> list[StageNode]:
        if not run.asset_selection:
            names = list_stages_by_job(self.scope, self.graph).get(run.job_name, ())
            return [self.graph.find(name) for name in names]
        return [
            node
            for node in self.graph.nodes
            if self.scope.build_key(node.name) in run.asset_selection
        ]


def _find_stopped(
    cells: Sequence[Cell], *, begun: Sequence[Cell], made: Collection[Cell]
) -> list[Cell]:
    """What a run was at that ended without a word on any step: what it had begun, else what it would have begun."""
    left = [cell for cell in begun if cell not in made]
    return left or [cell for cell in cells if cell not in made][:1]


def _find_text(event: dg.DagsterEvent) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return failure.user_failure_data.description
    if failure.error is None:
        return "The step failed."
    is_stopped = failure.error.cls_name == dg.DagsterExecutionInterruptedError.__name__
    return STOPPED if is_stopped else failure.error.message


def _find_cause(event: dg.DagsterEvent) -> str | None:
    """What kept a run from its first step, such as a config that cannot be read: the first mistake of all."""
    error = event.engine_event_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return None
    name, _, message = error.message.strip().partition(": ")
    return message if name.split(".")[-1] == error.cls_name else error.message.strip()
