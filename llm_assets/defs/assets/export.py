"""The export stage: the files people get."""

from collections.abc import Iterator

import dagster as dg

from llm_assets.core.assessment import Assessment
from llm_assets.core.export import ExportTable, build_export
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.schema_record import SchemaRecord
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.defs.export_check import build_types_spec, check_types
from llm_assets.defs.metadata import describe_export
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, dump_settings, get_batch
from llm_assets.gateways.exports import write_exports
from llm_assets.gateways.schema_texts import list_output_columns

RECIPE = 1
"""Raised when the same outputs would give other files."""


def build_export_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task, settings = scope.task, scope.task.settings.export

    @dg.asset(
        key=scope.build_key("export"),
        ins={
            "schema": scope.build_input("schema"),
            "input_snapshot": scope.build_input("input_snapshot"),
            "work_items": scope.build_input("work_items"),
            "llm_outputs": scope.build_input("llm_outputs"),
            **scope.build_optional_input("assessment", Assessment),
        },
        group_name=task.name,
        owners=scope.owners,
        tags=scope.tags,
        kinds={"table", *settings.formats},
        partitions_def=scope.batches,
        check_specs=[build_types_spec(scope.build_key("export"))],
        code_version=scope.build_code_version(RECIPE, dump_settings(settings)),
    )
    def export(
        context: dg.AssetExecutionContext,
        schema: SchemaRecord,
        input_snapshot: InputSnapshot,
        work_items: WorkItemsMeta,
        llm_outputs: LLMOutputs,
        **optional: Assessment,
    ) -> Iterator[dg.MaterializeResult[ExportTable] | dg.AssetCheckResult]:
        """The rows with their outputs, in the formats of the config, under `data/exports`.

        Every row of the input is there, in its order; one that failed says so in `status` and `error`. Cells
        that a spreadsheet would run as a formula are made harmless and counted. The check says whether every value
        is of its column's type.
        """
        with stop_plainly():
            table = build_export(
                input_snapshot,
                llm_outputs,
                items_meta=work_items,
                settings=settings,
                output_columns=list_output_columns(task, scope.project, schema=schema),
                assessment=optional.get("assessment"),
            )
            written = write_exports(task, scope.project, get_batch(context), table)
            yield publish(table, metadata=describe_export(table, written))
            yield check_types(table)

    return export
