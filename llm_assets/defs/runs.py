"""How a batch is run from outside of Dagster: registered, observed, executed, and its end told."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterExecutionInterruptedError

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.abandoned_runs import PROCESS_TAG, end_abandoned_runs, open_process_lock
from llm_assets.defs.project_definitions import build_definitions
from llm_assets.defs.publishing import CODE_VERSION_TAG, EXIT_CODE_KEY, SOURCE_KEY
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import TASK_STAGES, name_batch_job, name_schema_job
from llm_assets.gateways.batches import Batch, hash_file
from llm_assets.gateways.task_schemas import load_task_schema

DATA_VERSION_TAG = "dagster/data_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a Dagster run ended."""

    problem: str | None
    """What went wrong, in plain words; None where all is well."""
    exit_code: int


class TaskRunner:
    """Runs one task's jobs in this process and puts them into the same history that the UI shows."""

    def __init__(self, scope: TaskScope, instance: dg.DagsterInstance, *, process: str) -> None:
        self._scope = scope
        self._process = process
        self._instance = instance
        self._definitions = build_definitions(
            scope.project, [scope.task], observers=scope.observers
        )

    def register(self, batches: Sequence[Batch]) -> None:
        """Make the batches known, and their files' versions, which has to happen before their first run."""
        keys = [batch.key for batch in batches]
        self._instance.add_dynamic_partitions(str(self._scope.batches.name), keys)
        for batch in batches:
            self._report_version(batch)

    def ensure_schema(self) -> RunEnd:
        """Bring schema and schema text up to date where they are not."""
        stages = [self._definitions.get_assets_def(self._scope.build_key(s)) for s in TASK_STAGES]
        if all(self._is_current(stage) for stage in stages) and self._is_schema_unchanged():
            return RunEnd(problem=None, exit_code=0)
        return self._execute(name_schema_job(self._scope), batch=None, config={})

    def run_batch(self, batch: BatchKey, choice: RunChoice) -> RunEnd:
        """Run all stages of one batch."""
        options = {"limit": choice.limit, "force": choice.is_forced}
        given = {name: value for name, value in options.items() if value is not None}
        op = self._scope.build_key("llm_outputs").to_python_identifier()
        config = {"ops": {op: {"config": given}}}
        return self._execute(name_batch_job(self._scope), batch=batch, config=config)

    def _execute(self, job: str, *, batch: BatchKey | None, config: Mapping[str, object]) -> RunEnd:
        """Execute a job; `KeyboardInterrupt` where somebody stopped it."""
        # The console shows the plan and the progress; Dagster's own lines are in the run's log in the UI.
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        try:
            result = self._definitions.resolve_job_def(job).execute_in_process(
                run_config={**config, **quiet},
                partition_key=batch,
                instance=self._instance,
                tags={PROCESS_TAG: self._process},
                raise_on_error=False,
            )
        except DagsterExecutionInterruptedError as exc:
            raise KeyboardInterrupt from exc
        return _read_end(result)

    def _report_version(self, batch: Batch) -> None:
        version = hash_file(batch.path)
        key = self._scope.build_key("input_file")
        records = self._instance.fetch_observations(
            dg.AssetRecordsFilter(asset_key=key, asset_partitions=[batch.key]), limit=1
        ).records
        known = records[0].asset_observation if records else None
        if known is None or known.tags.get(DATA_VERSION_TAG) != version:
            self._instance.report_runless_asset_event(
                dg.AssetObservation(key, partition=batch.key, tags={DATA_VERSION_TAG: version})
            )

    def _is_current(self, stage: dg.AssetsDefinition) -> bool:
        materialization = self._find_materialization(stage.key)
        if materialization is None:
            return False
        recorded = (materialization.tags or {}).get(CODE_VERSION_TAG)
        return recorded == stage.code_versions_by_key[stage.key]

    def _is_schema_unchanged(self) -> bool:
        """Whether the module is the one that was recorded, and nobody forces a new one."""
        task = self._scope.task
        materialization = self._find_materialization(self._scope.build_key("schema"))
        if materialization is None or task.settings.schema_.force or not task.schema_path.exists():
            return False
        recorded = materialization.metadata.get(SOURCE_KEY)
        current = load_task_schema(task, self._scope.project).source_sha256
        return recorded is not None and recorded.value == current

    def _find_materialization(self, key: dg.AssetKey) -> dg.AssetMaterialization | None:
        event = self._instance.get_latest_materialization_event(key)
        return event.asset_materialization if event else None


@contextmanager
def open_task_runner(scope: TaskScope, history: dg.DagsterInstance) -> Generator[TaskRunner]:
    """A runner whose runs others can tell from those of a killed process."""
    with open_process_lock(history) as process:
        end_abandoned_runs(history)
        yield TaskRunner(scope, history, process=process)


def _read_end(result: dg.ExecuteInProcessResult) -> RunEnd:
    if result.success:
        return RunEnd(problem=None, exit_code=0)
    failures = [event.step_failure_data for event in result.get_step_failure_events()]
    for failure in failures:
        user_failure = failure.user_failure_data
        if user_failure is not None:
            code = user_failure.metadata.get(EXIT_CODE_KEY)
            exit_code = code.value if code is not None else None
            return RunEnd(
                problem=user_failure.description or "The run failed.",
                exit_code=exit_code if isinstance(exit_code, int) else 2,
            )
    error = failures[0].error if failures else None
    if error is not None and error.cls_name == DagsterExecutionInterruptedError.__name__:
        raise KeyboardInterrupt
    problem = error.to_string() if error else "The run did not finish."
    return RunEnd(problem=problem, exit_code=2)
