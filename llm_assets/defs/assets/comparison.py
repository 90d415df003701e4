"""The comparison stage: what is different from the outputs of another task."""

import dagster as dg

from llm_assets.config.compare import CompareSettings
from llm_assets.core.comparison import Comparison
from llm_assets.core.stage_checks import check_comparison
from llm_assets.defs.check_results import build_stage_checks
from llm_assets.defs.checks import CheckedResult
from llm_assets.defs.compared_task import (
    build_compared_deps,
    list_compared_stages,
    read_compared_versions,
)
from llm_assets.defs.comparison_metadata import describe_comparison
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, build_score_parts, dump_settings, get_batch
from llm_assets.defs.stage_arguments import build_checked_arguments
from llm_assets.gateways.comparison_files import write_comparison
from llm_assets.gateways.comparisons import compare_batch

RECIPE = 1
"""Raised when the same outputs would give another comparison."""


def build_comparison_asset(
    scope: TaskScope, settings: CompareSettings, other: TaskScope
) -> dg.AssetsDefinition:
    """The asset of one task that is compared with another one."""
    task, project = scope.task, scope.project
    own = [scope.build_key(stage) for stage in list_compared_stages(task)]

    @dg.asset(
        **build_checked_arguments(scope, "comparison", Comparison),
        deps=[*own, *build_compared_deps(other)],
        kinds={"markdown", "html"},
        metadata=describe_definition(scope, files={"folder": project.comparisons / task.name}),
        code_version=scope.build_code_version(
            RECIPE, compare=dump_settings(settings), **build_score_parts(scope)
        ),
    )
    def comparison(context: dg.AssetExecutionContext) -> CheckedResult[Comparison]:
        """What is different from the outputs of the other task, item by item, under `data/comparisons`.

        Items, outcomes, fields, scores and cost of the same batch in both tasks, and what each was made with; the
        other task is side A. No call is made. The check holds the differences to the limits of the config, and what
        it blocks is not exported.
        """
        with stop_plainly():
            batch = get_batch(context)
            # Read before the values: outputs that change in between leave the comparison stale and not fresh.
            versions = read_compared_versions(scope, context.instance, [batch])
            value = compare_batch(task, other.task, project, batch)
            written = write_comparison(task, project, batch, value)
            checks = check_comparison(value, settings, settings=task.settings)
            return publish(
                value,
                metadata=describe_comparison(value, written, version=versions.get(batch, "")),
                checks=build_stage_checks(checks, task.settings.checks),
            )

    return comparison
