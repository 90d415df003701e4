"""Whether anything of a task is to be made anew, as a check in the UI."""

import dagster as dg

from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.status_text import render_counts
from llm_assets.defs.metadata import build_status_table
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_status import read_task_status


def build_staleness_check(scope: TaskScope, graph: StageGraph) -> dg.AssetChecksDefinition:
    """A check on the overview that looks at all batches whenever it runs, by itself or with the overview."""

    @dg.asset_check(
        asset=scope.build_key("overview"),
        name="all_fresh",
        description="Every stage of every batch is what today's files and settings would make.",
    )
    def all_fresh(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        status = read_task_status(scope, context.instance, graph)
        return dg.AssetCheckResult(
            passed=status.is_fresh,
            severity=dg.AssetCheckSeverity.WARN,
            description=render_counts(status),
            metadata={"batches": build_status_table(status)},
        )

    return all_fresh
