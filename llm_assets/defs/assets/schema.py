"""The schema stage: what an answer is."""

import dagster as dg

from llm_assets.core.schema_record import SchemaRecord, build_schema_record
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_schema
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, build_class_parts, dump_settings
from llm_assets.defs.stage_arguments import build_stage_arguments
from llm_assets.gateways.schema_generation import ensure_schema
from llm_assets.gateways.tasks import check_no_gaps
from llm_assets.gateways.text_files import fingerprint_file

RECIPE = 1
"""Raised when the same module would give another record."""


def build_schema_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task, project = scope.task, scope.project

    @dg.asset(
        **build_stage_arguments(scope, "schema"),
        deps=[scope.build_key("config_file")],
        kinds={"python", "pydantic"},
        metadata=describe_definition(scope, files={"module": task.schema_path}),
        code_version=scope.build_code_version(
            RECIPE,
            schema=dump_settings(task.settings.schema_),
            module=fingerprint_file(task.schema_path),
            **build_class_parts(scope),
        ),
    )
    def schema(context: dg.AssetExecutionContext) -> dg.MaterializeResult[SchemaRecord]:
        """The Pydantic module that every answer is validated by.

        Where the module exists, nothing is done. Where it is missing and the config describes what an output
        should hold, a model proposes a schema as data and the module is printed from it; an older module is
        archived, never overwritten. Change the module and everything from the schema text on becomes stale.
        """
        with stop_plainly():
            check_no_gaps(task, "schema")
            ensured = ensure_schema(task, project, run_id=context.run.run_id, clock=scope.clock)
            record = build_schema_record(
                ensured.module.models,
                path=project.show(task.schema_path),
                source_sha256=ensured.module.source_sha256,
                output_model=task.steps[-1].settings.output_model,
            )
            return publish(record, metadata=describe_schema(record, ensured, path=task.schema_path))

    return schema
