"""How new and changed input files become batches, are observed, and run without anybody asking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging import Logger

import dagster as dg
from pydantic import ValidationError

from llm_assets.core.arrivals import KnownFile, KnownFiles
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.task_status import find_worst
from llm_assets.defs.jobs import TaskJobs, name_batch_job, name_schema_job
from llm_assets.defs.registering import list_news
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import StageHistory
from llm_assets.defs.task_status import read_task_status
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.settled_files import read_settled

INTERVAL_SECONDS = 10


def build_file_sensors(
    scope: TaskScope, graph: StageGraph, jobs: TaskJobs
) -> list[dg.SensorDefinition]:
    """One that makes files known, which costs nothing and is on, and one that also runs them, which is off."""
    watcher = _Arrivals(scope=scope, graph=graph, starts_runs=False)
    starter = _Arrivals(scope=scope, graph=graph, starts_runs=True)
    is_on = scope.task.settings.automation.run_new_files
    return [
        dg.SensorDefinition(
            name=f"{scope.task.name}_watch_files",
            evaluation_fn=watcher.look,
            minimum_interval_seconds=INTERVAL_SECONDS,
            default_status=dg.DefaultSensorStatus.RUNNING,
            description="Makes new files known as batches, and new contents of files. It runs nothing.",
        ),
        dg.SensorDefinition(
            name=f"{scope.task.name}_run_new_files",
            evaluation_fn=starter.look,
            jobs=list(jobs),
            minimum_interval_seconds=INTERVAL_SECONDS,
            default_status=decide_sensor_status(is_on=is_on),
            description="Runs a batch as soon as its file is new or has changed. **This may cost money.**",
        ),
    ]


def decide_sensor_status(*, is_on: bool) -> dg.DefaultSensorStatus:
    """What the config says, until somebody switches it in the UI."""
    return dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED


@dataclass(frozen=True, kw_only=True)
class _Arrivals:
    """What one of the sensors does at each look."""

    scope: TaskScope
    graph: StageGraph
    starts_runs: bool

    def look(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            known = self._read_files(parse_cursor(context.cursor), context.log)
        except LLMAssetsError as exc:
            return dg.SkipReason(str(exc))
        contents = {key: file.sha256 for key, file in known.files.items()}
        events = list_news(self.scope, context.instance, contents)
        registered = set(context.instance.get_dynamic_partitions(str(self.scope.batches.name)))
        new = [key for key in known.files if key not in registered]
        requests: list[dg.RunRequest] = []
        if self.starts_runs:
            known, requests = self._request_runs(context.instance, known)
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else render_nothing_due(new=new, n_news=len(events)),
            cursor=known.model_dump_json(),
            dynamic_partitions_requests=[self.scope.batches.build_add_request(new)] if new else [],
            asset_events=events,
        )

    def _read_files(self, known: KnownFiles, log: Logger) -> KnownFiles:
        """Read what changed, leaving alone what may still be growing."""
        batches = list_batches(self.scope.task, self.scope.project)
        return read_settled(
            known,
            {batch.key: batch.path for batch in batches},
            now_seconds=self.scope.clock.get_now().timestamp(),
            show_problem=log.error,
        )

    def _request_runs(
        self, instance: dg.DagsterInstance, known: KnownFiles
    ) -> tuple[KnownFiles, list[dg.RunRequest]]:
        """The runs that are due; where what batches share is not up to date, that comes first and alone."""
        due = known.find_due(self._read_made(instance, known.find_due({})))
        if not due:
            return known, []
        shared = read_task_status(self.scope, instance, self.graph, batches=[]).shared
        before = {
            node.name: shared[node.name]
            for node in self.graph.shared
            if not self.graph.is_about_batches(node)
        }
        if find_worst(before) != "fresh":
            # Once for these contents: a key of the settings alone would never bring them back to what they were.
            wanted = [_name_content(known.files[key]) for key in due]
            versions = [self.graph.find(name).code_version for name in before]
            run_key = fingerprint([versions, wanted])
            return known, [dg.RunRequest(run_key=run_key, job_name=name_schema_job(self.scope))]
        known = known.note_requests(due)
        return known, [
            dg.RunRequest(
                run_key=f"{key}:{_name_content(known.files[key])}",
                job_name=name_batch_job(self.scope),
                partition_key=key,
            )
            for key in due
        ]

    def _read_made(
        self, instance: dg.DagsterInstance, keys: Sequence[BatchKey]
    ) -> Mapping[BatchKey, str]:
        """The content that each of these batches was last made from."""
        readers = StageGraph(nodes=tuple(node for node in self.graph.nodes if node.reads_input))
        history = StageHistory(scope=self.scope, instance=instance, graph=readers)
        return {
            batch: made.input_sha256
            for (_, batch), made in history.read_made(keys).items()
            if batch is not None and made.input_sha256 is not None
        }


def _name_content(file: KnownFile) -> str:
    """The content of a file, and how often it was another one before it."""
    return f"{file.sha256}:{file.n_requests}"


def render_nothing_due(*, new: Sequence[BatchKey], n_news: int) -> str:
    """What a look says that starts no run; without words of ours, Dagster writes that the result was empty."""
    if new:
        return f"Made known as batches: {', '.join(new)}. Nothing is run."
    return "Noted what changed in files. Nothing is run." if n_news else "No new or changed file."


def parse_cursor(cursor: str | None) -> KnownFiles:
    """What was remembered; nothing where it was written by another version."""
    try:
        return KnownFiles.model_validate_json(cursor or "{}")
    except ValidationError:
        return KnownFiles()
