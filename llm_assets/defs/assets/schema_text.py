"""The schema text stage: what the model is told about an answer."""

import dagster as dg

from llm_assets.core.schema_record import SchemaRecord, SchemaText
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_schema_text
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, build_class_parts
from llm_assets.defs.stage_arguments import build_stage_arguments
from llm_assets.gateways.schema_texts import describe_task_schema

RECIPE = 1
"""Raised when the same schema would give another text."""


def build_schema_text_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task = scope.task

    @dg.asset(
        **build_stage_arguments(scope, "schema_text"),
        ins=scope.build_inputs("schema"),
        kinds={"json"},
        metadata=describe_definition(scope, files={"module": task.schema_path}),
        code_version=scope.build_code_version(RECIPE, **build_class_parts(scope)),
    )
    def schema_text(schema: SchemaRecord) -> dg.MaterializeResult[SchemaText]:
        """The schema as JSON text, which prompts show as `llm_schema`; the model never sees Python.

        Made from the very models that validate the answers. Beside it stands the strict form that endpoints
        with structured outputs decode by, or the reasons why the schema has none.
        """
        with stop_plainly():
            text = describe_task_schema(task, scope.project, schema=schema)
            return publish(text, metadata=describe_schema_text(text))

    return schema_text
