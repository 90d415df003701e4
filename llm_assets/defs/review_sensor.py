"""How workbooks that people filled in are taken in without anybody asking."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from logging import Logger
from pathlib import Path

import dagster as dg

from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph
from llm_assets.defs.file_sensors import INTERVAL_SECONDS, parse_cursor
from llm_assets.defs.jobs import TaskJobs, list_review_stages, name_batch_job
from llm_assets.defs.registering import build_review_observation
from llm_assets.defs.scope import TaskScope
from llm_assets.errors import LLMAssetsError
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
        scope = self.scope
        try:
            paths = list_reviews(scope.task, scope.project)
            known = read_settled(
                parse_cursor(context.cursor),
                paths,
                now_seconds=scope.clock.get_now().timestamp(),
                show_problem=context.log.error,
            )
        except LLMAssetsError as exc:
            return dg.SkipReason(str(exc))
        ends = self._take({name: paths[name] for name in known.find_due({})}, context.log)
        taken = [end for end in ends.values() if isinstance(end, TakenReview) and end.n_added]
        known_batches = context.instance.get_dynamic_partitions(str(scope.batches.name))
        return dg.SensorResult(
            run_requests=self._request_runs({end.batch for end in taken} & {*known_batches}),
            cursor=known.note_requests(list(ends)).model_dump_json(),
            asset_events=[build_review_observation(scope)] if taken else [],
        )

    def _take(
        self, paths: Mapping[BatchKey, Path], log: Logger
    ) -> dict[BatchKey, TakenReview | RefusedReview]:
        """What became of each workbook; one that could not be dealt with is looked at again the next time.

        It keeps no other one out: what was taken in is published now or, as it brings nothing new, never.
        """
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

    def _request_runs(self, batches: Collection[str]) -> list[dg.RunRequest]:
        """One for each batch that people decided on, over the stages that show it.

        Dagster fails the whole look for one batch that its history does not know; a decision on such a one is shown
        by the batch's first run.
        """
        stages = [self.scope.build_key(name) for name in list_review_stages(self.graph)]
        return [
            dg.RunRequest(
                job_name=name_batch_job(self.scope), partition_key=batch, asset_selection=stages
            )
            for batch in sorted(batches)
        ]
