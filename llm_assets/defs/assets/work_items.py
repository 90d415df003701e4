"""The work items stage: which questions the model gets."""

import dagster as dg

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.metadata import describe_images, render_preview
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, dump_settings, list_image_parts
from llm_assets.gateways.item_making import make_work_items
from llm_assets.gateways.tasks import check_no_gaps

RECIPE = 1
"""Raised when the same snapshot would give other items."""


def build_work_items_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    settings = scope.task.settings

    @dg.asset(
        key=scope.build_key("work_items"),
        ins={
            "input_snapshot": scope.build_input("input_snapshot"),
            "group_contexts": scope.build_input("group_contexts"),
        },
        group_name=scope.task.name,
        owners=scope.owners,
        tags=scope.tags,
        kinds={"json"},
        partitions_def=scope.batches,
        code_version=scope.build_code_version(
            RECIPE,
            dump_settings(settings.grouping),
            dump_settings(settings.context),
            settings.input.id_column,
            *list_image_parts(scope),
        ),
    )
    def work_items(
        input_snapshot: InputSnapshot, group_contexts: GroupContexts
    ) -> dg.MaterializeResult[WorkItems]:
        """The questions the model gets: one for every row, or one for every group.

        An item holds only what the model may see, so a change in any other column leaves it as it is and costs
        no call. Its name depends on its content and not on its place.
        """
        with stop_plainly():
            check_no_gaps(scope.task, "grouping", "context", "input", "images")
            items = make_work_items(scope.task, input_snapshot, group_contexts)
            metadata = {
                "dagster/row_count": items.meta.n_items,
                "mode": items.meta.mode,
                "columns_shown_to_the_model": ", ".join(items.meta.columns),
                "groups": items.meta.n_group_contexts,
                "items_with_cuts": sum(bool(item.cuts) for item in items.records),
                "preview": render_preview(
                    ({"work_id": item.work_id, **item.values} for item in items.records),
                    ["work_id", *items.meta.columns],
                ),
            }
            return publish(items, metadata=metadata | describe_images(items))

    return work_items
