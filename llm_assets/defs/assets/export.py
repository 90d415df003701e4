"""The export stage: the files people get."""

import dagster as dg

from llm_assets.core.answer_columns import build_answer_columns
from llm_assets.core.assessment import Assessment
from llm_assets.core.export import ExportTable, build_export
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.schema_record import SchemaRecord
from llm_assets.core.stage_checks import check_export
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.defs.check_results import build_stage_checks
from llm_assets.defs.checks import CheckedResult
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_export
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import (
    TaskScope,
    build_class_parts,
    build_score_parts,
    dump_settings,
    get_batch,
)
from llm_assets.defs.stage_arguments import build_checked_arguments
from llm_assets.gateways.exports import write_exports
from llm_assets.gateways.schema_texts import build_joined_model, load_answer_schemas
from llm_assets.gateways.task_schemas import load_recorded_schemas
from llm_assets.gateways.tasks import check_no_gaps

RECIPE = 2
"""Raised when the same outputs would give other files."""


def build_export_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task, settings = scope.task, scope.task.settings.export

    @dg.asset(
        **build_checked_arguments(scope, "export", ExportTable),
        ins={
            **scope.build_inputs("schema", "input_snapshot", "work_items", "llm_outputs"),
            **scope.build_optional_input("assessment", Assessment),
        },
        deps=scope.list_guards(),
        kinds={"table", *settings.formats},
        metadata=describe_definition(scope, files={"folder": scope.project.exports / task.name}),
        code_version=scope.build_code_version(
            RECIPE,
            export=dump_settings(settings),
            **build_score_parts(scope),
            **build_class_parts(scope),
        ),
    )
    def export(
        context: dg.AssetExecutionContext,
        schema: SchemaRecord,
        input_snapshot: InputSnapshot,
        work_items: WorkItemsMeta,
        llm_outputs: LLMOutputs,
        **optional: Assessment,
    ) -> CheckedResult[ExportTable]:
        """The rows with their outputs, in the formats of the config, under `data/exports`.

        Every row of the input is there, in its order; one that failed says so in `status` and `error`. Cells
        that a spreadsheet would run as a formula are made harmless and counted. The check says whether every value
        is of its column's type.
        """
        with stop_plainly():
            check_no_gaps(task, "export", "schema")
            schemas = load_answer_schemas(task, scope.project, source_sha256=schema.source_sha256)
            table = build_export(
                input_snapshot,
                llm_outputs,
                items_meta=work_items,
                settings=settings,
                output_columns=build_answer_columns(schemas, settings.nested),
                assessment=optional.get("assessment"),
            )
            modules = load_recorded_schemas(task, scope.project, source_sha256=schema.source_sha256)
            checks = check_export(
                table,
                snapshot=input_snapshot,
                items_meta=work_items,
                outputs=llm_outputs,
                output_model=build_joined_model(task, modules),
                settings=task.settings,
            )
            written = write_exports(task, scope.project, get_batch(context), table)
            return publish(
                table,
                metadata=describe_export(
                    scope, table, files=written, outputs=llm_outputs, schemas=schemas
                ),
                checks=build_stage_checks(checks, task.settings.checks),
            )

    return export
