"""The review queue stage: what waits for a person."""

import dagster as dg

from llm_assets.core.gate import GateDecisions
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.review_queue import ReviewQueue
from llm_assets.core.schema_record import SchemaRecord
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.review_metadata import describe_review_queue
from llm_assets.defs.scope import TaskScope, build_class_parts, get_batch
from llm_assets.defs.stage_arguments import build_batch_arguments
from llm_assets.gateways.review_stages import find_review_book, make_review_queue

RECIPE = 1
"""Raised when the same decisions would give another workbook."""


def build_review_queue_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task with a gate."""
    task, project = scope.task, scope.project

    @dg.asset(
        **build_batch_arguments(scope, "review_queue"),
        ins=scope.build_inputs("schema", "input_snapshot", "work_items", "llm_outputs", "gate"),
        kinds={"excel", "person"},
        metadata=describe_definition(scope, files={"folder": project.review_queues / task.name}),
        code_version=scope.build_code_version(RECIPE, **build_class_parts(scope)),
    )
    def review_queue(
        context: dg.AssetExecutionContext,
        schema: SchemaRecord,
        input_snapshot: InputSnapshot,
        work_items: WorkItems,
        llm_outputs: LLMOutputs,
        gate: GateDecisions,
    ) -> dg.MaterializeResult[ReviewQueue]:
        """What waits for a person, as a workbook to be filled in: `data/review_queue/<task>/<batch>.xlsx`.

        One row an item: approve it, edit its output, or reject it, and say who you are. Put the filled workbook into
        `data/reviews/<task>/`, or give it to `llm-assets review import`. It is there, possibly empty, after each run.
        """
        with stop_plainly():
            batch = get_batch(context)
            queue = make_review_queue(
                task,
                project,
                batch,
                source_sha256=schema.source_sha256,
                snapshot=input_snapshot,
                items=work_items,
                outputs=llm_outputs,
                gate=gate,
            )
            book = find_review_book(task, project, batch)
            return publish(queue, metadata=describe_review_queue(queue, book))

    return review_queue
