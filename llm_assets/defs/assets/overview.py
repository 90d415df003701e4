"""The overview stage: how all batches of a task stand."""

import dagster as dg

from llm_assets.core.overview import Overview, build_overview
from llm_assets.core.stage_graph import StageGraph
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_overview
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_arguments import build_stage_arguments
from llm_assets.defs.task_status import read_task_status

RECIPE = 1
"""Raised when the same batches would give another overview."""


def build_overview_asset(scope: TaskScope, graph: StageGraph) -> dg.AssetsDefinition:
    """The asset of one task; `graph` holds the stages that it looks at."""

    @dg.asset(
        **build_stage_arguments(scope, "overview"),
        deps=[scope.build_key(name) for name in graph.list_ends()],
        kinds={"table"},
        metadata=describe_definition(scope),
        code_version=scope.build_code_version(RECIPE),
    )
    def overview(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Overview]:
        """Every batch and every stage: what is fresh, what is stale and why, what failed, what is missing.

        Dagster's own marks look one step back, and not at batches where a whole asset is shown. This table looks
        at every batch and all the way. It holds for the moment it was made; `llm-assets status` and the check
        `all_fresh` look again.
        """
        with stop_plainly():
            status = read_task_status(scope, context.instance, graph)
            value = build_overview(status, batches_sha256=status.batches_sha256)
            return publish(value, metadata=describe_overview(status))

    return overview
