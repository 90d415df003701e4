"""The published stage: what others may build on."""

import dagster as dg

from llm_assets.core.corrections import Corrections
from llm_assets.core.gate import GateDecisions
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.published import Published, build_published, fingerprint_published
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.review_metadata import describe_published
from llm_assets.defs.scope import TaskScope, get_batch
from llm_assets.defs.stage_arguments import build_batch_arguments

RECIPE = 1
"""Raised when the same decisions would publish other records."""


def build_published_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task with a gate."""
    task = scope.task

    @dg.asset(
        **build_batch_arguments(scope, "published"),
        ins=scope.build_inputs("input_snapshot", "llm_outputs", "corrections", "gate"),
        deps=scope.list_guards(),
        kinds={"json"},
        metadata=describe_definition(scope),
        code_version=scope.build_code_version(RECIPE, mode=task.settings.grouping.mode),
    )
    def published(
        context: dg.AssetExecutionContext,
        input_snapshot: InputSnapshot,
        llm_outputs: LLMOutputs,
        corrections: Corrections,
        gate: GateDecisions,
    ) -> dg.MaterializeResult[Published]:
        """What passed the gate and what people approved or wrote: the asset that others depend on.

        Each record holds the row, its output, who vouches for it and when the answer was made. Its version changes
        only where a record does, so what comes after it runs when there is something new and not otherwise.
        """
        with stop_plainly():
            value = build_published(
                input_snapshot,
                llm_outputs,
                gate=gate,
                corrections=corrections,
                mode=task.settings.grouping.mode,
                batch=get_batch(context),
            )
            return publish(
                value,
                metadata=describe_published(value),
                content_sha256=fingerprint_published(value),
            )

    return published
