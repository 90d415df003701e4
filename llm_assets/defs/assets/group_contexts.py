"""The group contexts stage: what the rows of a group have in common for the model to see."""

import dagster as dg

from llm_assets.core.group_contexts import GroupContexts, build_group_contexts
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_contexts
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, build_image_column_parts, dump_settings
from llm_assets.defs.stage_arguments import build_batch_arguments
from llm_assets.gateways.tasks import check_no_gaps

RECIPE = 1
"""Raised when the same snapshot would give other contexts."""


def build_group_contexts_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    settings = scope.task.settings

    @dg.asset(
        **build_batch_arguments(scope, "group_contexts"),
        ins=scope.build_inputs("input_snapshot"),
        kinds={"json"},
        metadata=describe_definition(
            scope, mode=settings.grouping.mode, grouping_column=settings.grouping.column
        ),
        code_version=scope.build_code_version(
            RECIPE,
            grouping=dump_settings(settings.grouping),
            context=dump_settings(settings.context),
            **build_image_column_parts(scope),
        ),
    )
    def group_contexts(input_snapshot: InputSnapshot) -> dg.MaterializeResult[GroupContexts]:
        """The text that stands for each group in a prompt, stored once however many rows share it.

        Empty where the task looks at rows one by one. Groups come in the order in which the input first names
        them; whatever a limit left out or cut is recorded with the group.
        """
        with stop_plainly():
            check_no_gaps(scope.task, "grouping", "context")
            contexts = build_group_contexts(
                input_snapshot,
                grouping=settings.grouping,
                context=settings.context,
                image_columns=settings.image_columns,
            )
            metadata = describe_contexts(scope, contexts, columns=input_snapshot.meta.columns)
            return publish(contexts, metadata=metadata)

    return group_contexts
