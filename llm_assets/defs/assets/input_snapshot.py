"""The input snapshot stage: what the table said."""

import dagster as dg

from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.defs.metadata import render_preview
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, dump_settings, get_batch
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.tasks import check_no_gaps

RECIPE = 1
"""Raised when the same file would give another snapshot."""


def build_input_snapshot_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task = scope.task
    settings = task.settings

    @dg.asset(
        key=scope.build_key("input_snapshot"),
        deps=[scope.build_key("input_file"), scope.build_key("config_file")],
        group_name=task.name,
        owners=scope.owners,
        tags=scope.tags,
        kinds={"table", "json"},
        partitions_def=scope.batches,
        code_version=scope.build_code_version(
            RECIPE, dump_settings(settings.input), dump_settings(settings.cleaning)
        ),
    )
    def input_snapshot(context: dg.AssetExecutionContext) -> dg.MaterializeResult[InputSnapshot]:
        """The rows of one input file, cleaned cell by cell and each with a name of its own.

        Nothing is guessed: a row that is too long, a broken quote or an unknown encoding stops here and is
        named with its line. The same file gives the same rows, so later stages can tell what really changed.
        """
        with stop_plainly():
            check_no_gaps(task, "input", "cleaning")
            snapshot = take_snapshot(task, scope.project, get_batch(context))
            meta = snapshot.meta
            metadata = {
                "dagster/row_count": meta.n_rows,
                "columns": ", ".join(meta.columns),
                "nulls": meta.n_nulls,
                "input_path": meta.input_path,
                "input_sha256": meta.sha256,
                "format": meta.format,
                "encoding": meta.encoding or "",
                "preview": render_preview((row.values for row in snapshot.records), meta.columns),
            }
            return publish(snapshot, metadata=metadata)

    return input_snapshot
