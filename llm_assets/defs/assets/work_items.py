"""The work items stage: which questions the model gets."""

import dagster as dg

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.stage_checks import check_work_items
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.check_results import build_stage_checks
from llm_assets.defs.checks import CheckedResult
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_items
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, build_image_parts, dump_settings
from llm_assets.defs.stage_arguments import build_checked_arguments
from llm_assets.gateways.item_making import make_work_items
from llm_assets.gateways.tasks import check_no_gaps

RECIPE = 1
"""Raised when the same snapshot would give other items."""


def build_work_items_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    settings = scope.task.settings

    @dg.asset(
        **build_checked_arguments(scope, "work_items", WorkItems),
        ins=scope.build_inputs("input_snapshot", "group_contexts"),
        kinds={"json"},
        metadata=describe_definition(scope, mode=settings.grouping.mode),
        code_version=scope.build_code_version(
            RECIPE,
            grouping=dump_settings(settings.grouping),
            context=dump_settings(settings.context),
            id_column=settings.input.id_column,
            **build_image_parts(settings.images),
        ),
    )
    def work_items(
        input_snapshot: InputSnapshot, group_contexts: GroupContexts
    ) -> CheckedResult[WorkItems]:
        """The questions the model gets: one for every row, or one for every group.

        An item holds only what the model may see, so a change in any other column leaves it as it is and costs
        no call. Its name depends on its content and not on its place.
        """
        with stop_plainly():
            check_no_gaps(scope.task, "grouping", "context", "input", "images")
            items = make_work_items(scope.task, input_snapshot, group_contexts)
            checks = check_work_items(items, input_snapshot, settings)
            return publish(
                items,
                metadata=describe_items(scope, items),
                checks=build_stage_checks(checks, settings.checks),
            )

    return work_items
