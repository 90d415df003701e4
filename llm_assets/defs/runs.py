"""How a batch is run from outside of Dagster: registered, observed, executed, and its end told."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property

import dagster as dg
from dagster import DagsterExecutionInterruptedError

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.stage_graph import StageNode
from llm_assets.core.staleness import list_due
from llm_assets.core.task_status import TaskStatus
from llm_assets.defs.abandoned_runs import end_abandoned_runs
from llm_assets.defs.calling import name_calling_op
from llm_assets.defs.jobs import (
    name_batch_job,
    name_overview_job,
    name_schema_job,
)
from llm_assets.defs.process_locks import PROCESS_TAG, open_process_lock
from llm_assets.defs.project_definitions import build_definitions
from llm_assets.defs.registering import observe_reviews, register_batches
from llm_assets.defs.reloading import reload_shown_code
from llm_assets.defs.review_choice import choose_review_stages
from llm_assets.defs.run_ends import CHECK_FAILED, FINE, RunEnd, read_end
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import StageHistory
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.defs.task_status import read_task_status
from llm_assets.gateways.batches import Batch

NO_BATCH = 2
"""The exit code of a run that has nothing to run over."""


class TaskRunner:
    """Runs one task's jobs in this process and puts them into the same history that the UI shows."""

    def __init__(self, scope: TaskScope, instance: dg.DagsterInstance, *, process: str) -> None:
        self._scope = scope
        self._process = process
        self._instance = instance
        self._graph = build_task_graph(scope)

    @cached_property
    def _definitions(self) -> dg.Definitions:
        """Made where something is executed; to look, the graph is enough."""
        return build_definitions(
            self._scope.project, [self._scope.task], observers=self._scope.observers
        )

    def register(self, batches: Sequence[Batch]) -> None:
        """Make the batches known, and their files' versions, which has to happen before their first run."""
        register_batches(self._scope, self._instance, batches)

    def read_status(self) -> TaskStatus:
        """How every stage of every batch stands."""
        return read_task_status(self._scope, self._instance, self._graph)

    def ensure_schema(self) -> RunEnd:
        """Bring schema and schema text up to date where they are not."""
        nodes = [node for node in self._graph.shared if not self._graph.is_about_batches(node)]
        job = name_schema_job(self._scope)
        if self._scope.task.settings.schema_.force:
            return self._execute(job, batch=None, config={})
        return self._refresh(job, nodes, batch=None)

    def run_batch(self, batch: BatchKey, choice: RunChoice) -> RunEnd:
        """Run all stages of one batch."""
        options = {"limit": choice.limit, "force": choice.is_forced}
        given = {name: value for name, value in options.items() if value is not None}
        config = {"ops": {name_calling_op(self._scope): {"config": given}}}
        return self._execute(name_batch_job(self._scope), batch=batch, config=config)

    def refresh_batch(self, batch: BatchKey) -> RunEnd:
        """Make anew what is stale, missing or failed of a batch, and what then turns out to be stale after it.

        Where a stage comes out as it was, what reads it stays untouched.
        """
        return self._refresh(name_batch_job(self._scope), self._graph.batched, batch=batch)

    def apply_review(self, batch: BatchKey) -> RunEnd:
        """Make anew what shows people's decisions on a batch; no call is sent."""
        observe_reviews(self._scope, self._instance)
        if not self._instance.has_dynamic_partition(str(self._scope.batches.name), batch):
            problem = f"the history of {self._scope.task.name} has no batch {batch}."
            return RunEnd(problem=problem, exit_code=NO_BATCH)
        history = StageHistory(scope=self._scope, instance=self._instance, graph=self._graph)
        stages = choose_review_stages(self._graph, history.read_made([batch]), batch)
        end = FINE
        if stages.due:
            job = name_batch_job(self._scope)
            end = self._execute(job, batch=batch, config={}, stages=stages.due)
        if stages.problem is None or end.problem is not None:
            return end
        return replace(end, problem=stages.problem, exit_code=CHECK_FAILED)

    def refresh_overview(self, status: TaskStatus | None = None) -> RunEnd:
        """Look at all batches again where any of them changed; `status` is how they stand, if that is known."""
        nodes = [node for node in self._graph.shared if self._graph.is_about_batches(node)]
        status = status or self.read_status()
        if not list_due(nodes, status.shared):
            return FINE
        return self._execute(name_overview_job(self._scope), batch=None, config={})

    def reload_shown_code(self) -> str | None:
        """Let a UI that is open show the settings of these runs; the sentence for a person, if there is one."""
        return reload_shown_code(self._scope, self._instance)

    def _refresh(self, job: str, nodes: Sequence[StageNode], *, batch: BatchKey | None) -> RunEnd:
        """Make what is due and look again, until nothing is; no stage is made twice."""
        batches = [] if batch is None else [batch]
        made: set[str] = set()
        end = FINE
        while end.problem is None:
            status = read_task_status(self._scope, self._instance, self._graph, batches=batches)
            stages = status.shared if batch is None else status.batches[0].stages
            due = [name for name in list_due(nodes, stages) if name not in made]
            if not due:
                break
            made.update(due)
            latest = self._execute(job, batch=batch, config={}, stages=due)
            end = replace(
                latest,
                exit_code=max(end.exit_code, latest.exit_code),
                failed_checks=(*end.failed_checks, *latest.failed_checks),
                stages=(*end.stages, *latest.stages),
            )
        return end

    def _execute(
        self,
        job: str,
        *,
        batch: BatchKey | None,
        config: Mapping[str, object],
        stages: Sequence[str] | None = None,
    ) -> RunEnd:
        """Execute a job or some of its stages; `KeyboardInterrupt` where somebody stopped it."""
        # The console shows the plan and the progress; Dagster's own lines are in the run's log in the UI.
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        keys = None if stages is None else [self._scope.build_key(stage) for stage in stages]
        try:
            result = self._definitions.resolve_job_def(job).execute_in_process(
                run_config={**config, **quiet},
                partition_key=batch,
                instance=self._instance,
                tags={PROCESS_TAG: self._process},
                asset_selection=keys,
                raise_on_error=False,
            )
        except DagsterExecutionInterruptedError as exc:
            raise KeyboardInterrupt from exc
        return read_end(result)


@contextmanager
def open_task_runner(scope: TaskScope, history: dg.DagsterInstance) -> Generator[TaskRunner]:
    """A runner whose runs others can tell from those of a killed process."""
    with open_process_lock(history) as process:
        end_abandoned_runs(history)
        yield TaskRunner(scope, history, process=process)
