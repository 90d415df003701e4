"""The input snapshot stage: what the table said."""

import dagster as dg

from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_snapshot
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, dump_settings, get_batch
from llm_assets.defs.stage_arguments import build_batch_arguments
from llm_assets.gateways.batches import find_batch
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.tasks import check_no_gaps

RECIPE = 1
"""Raised when the same file would give another snapshot."""


def build_input_snapshot_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task = scope.task
    settings = task.settings

    @dg.asset(
        **build_batch_arguments(scope, "input_snapshot"),
        deps=[scope.build_key("input_file"), scope.build_key("config_file")],
        kinds={"table", "json"},
        metadata=describe_definition(scope, files={"input_folder": task.input_folder}),
        code_version=scope.build_code_version(
            RECIPE, input=dump_settings(settings.input), cleaning=dump_settings(settings.cleaning)
        ),
    )
    def input_snapshot(context: dg.AssetExecutionContext) -> dg.MaterializeResult[InputSnapshot]:
        """The rows of one input file, cleaned cell by cell and each with a name of its own.

        Nothing is guessed: a row that is too long, a broken quote or an unknown encoding stops here and is
        named with its line. The same file gives the same rows, so later stages can tell what really changed.
        """
        with stop_plainly():
            check_no_gaps(task, "input", "cleaning")
            batch = get_batch(context)
            snapshot = take_snapshot(task, scope.project, batch)
            path = find_batch(task, scope.project, batch).path
            return publish(snapshot, metadata=describe_snapshot(scope, snapshot, path=path))

    return input_snapshot
