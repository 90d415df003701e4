"""How workbooks that people filled in are taken in without anybody asking."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from logging import Logger
from pathlib import Path

import dagster as dg

from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import Cell, Made
from llm_assets.defs.file_sensors import INTERVAL_SECONDS, parse_cursor
from llm_assets.defs.jobs import TaskJobs, name_batch_job
from llm_assets.defs.registering import observe_reviews
from llm_assets.defs.review_choice import choose_review_stages
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import StageHistory
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.review_stages import hash_corrections
from llm_assets.gateways.reviewing import TakenReview
from llm_assets.gateways.reviews import RefusedReview, list_reviews, take_arrived_review
from llm_assets.gateways.settled_files import read_settled


def build_review_sensor(scope: TaskScope, graph: StageGraph, jobs: TaskJobs) -> dg.SensorDefinition:
    """One that takes workbooks in, which costs nothing and is on."""
    desk = _ReviewDesk(scope=scope, graph=graph)
    return dg.SensorDefinition(
        name=f"{scope.task.name}_watch_reviews",
        evaluation_fn=desk.look,
        jobs=list(jobs),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Takes in the workbooks that people put into `data/reviews/{scope.task.name}`, and publishes "
        "what they decided. One with mistakes is left as it is, with a note beside it. It sends no call.",
    )


@dataclass(frozen=True, kw_only=True)
class _ReviewDesk:
    """What the sensor does at each look."""

    scope: TaskScope
    graph: StageGraph

    def look(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            return self._look(context)
        except LLMAssetsError as exc:
            return dg.SkipReason(str(exc))

    def _look(self, context: dg.SensorEvaluationContext) -> dg.SensorResult:
        paths = list_reviews(self.scope.task, self.scope.project)
        now_seconds = self.scope.clock.get_now().timestamp()
        known = read_settled(
            parse_cursor(context.cursor),
            paths,
            now_seconds=now_seconds,
            show_problem=context.log.error,
        )
        ends = self._take({name: paths[name] for name in known.find_due({})}, context.log)
        batches = {end.batch for end in ends.values() if isinstance(end, TakenReview)}
        requests = self._request_runs(context.instance, batches) if batches else []
        looked_at = f"Looked at {', '.join(ends)}. Nothing is run." if ends else ""
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else looked_at or "No new or changed workbook.",
            cursor=known.note_requests(list(ends)).model_dump_json(),
        )

    def _take(
        self, paths: Mapping[BatchKey, Path], log: Logger
    ) -> dict[BatchKey, TakenReview | RefusedReview]:
        """What became of each workbook; one that could not be dealt with is looked at again, and keeps no other out."""
        scope = self.scope
        ends: dict[BatchKey, TakenReview | RefusedReview] = {}
        for name, path in paths.items():
            try:
                end = take_arrived_review(scope.task, scope.project, path, clock=scope.clock)
            except LLMAssetsError as exc:
                log.error(str(exc))  # noqa: TRY400 - a person's mistake needs no stack trace
                continue
            if isinstance(end, RefusedReview):
                log.error(end.problem)
            ends[name] = end
        return ends

    def _request_runs(
        self, instance: dg.DagsterInstance, batches: AbstractSet[BatchKey]
    ) -> list[dg.RunRequest]:
        """One for each of these batches that does not show all decisions yet, over the stages that show them.

        The history says so, and not whether a workbook brought anything new: a look that ended after it had kept the
        decisions is made up for by the next one. Dagster fails the whole look for one batch that its history does not
        know; a decision on such a one is shown by the batch's first run.
        """
        observe_reviews(self.scope, instance)
        decided = hash_corrections(self.scope.task, self.scope.project)
        known = batches & {*instance.get_dynamic_partitions(str(self.scope.batches.name))}
        history = StageHistory(scope=self.scope, instance=instance, graph=self.graph)
        made = history.read_made(sorted(known))
        return [
            dg.RunRequest(
                run_key=f"{batch}:{decided}",
                job_name=name_batch_job(self.scope),
                partition_key=batch,
                asset_selection=[self.scope.build_key(stage) for stage in stages],
            )
            for batch in sorted(known)
            if _get_shown(made, batch) != decided
            and (stages := choose_review_stages(self.graph, made, batch).due)
        ]


def _get_shown(made: Mapping[Cell, Made], batch: BatchKey) -> str | None:
    """The hash of the decisions that a batch was last sorted by."""
    corrections = made.get(("corrections", batch))
    return corrections and corrections.corrections_sha256
