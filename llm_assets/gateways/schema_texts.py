"""What a task's schema module says to a model and to an export."""

from llm_assets.core.export_columns import (
    ExportColumn,
    build_output_columns,
    build_verdict_columns,
)
from llm_assets.core.json_schema import build_json_schema, render_problem
from llm_assets.core.schema_record import SchemaRecord, SchemaText
from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.steps import build_strict_form
from llm_assets.core.strict_schema import StrictSchema
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_schemas import load_recorded_schema
from llm_assets.gateways.tasks import Task


def describe_task_schema(task: Task, project: Project, *, schema: SchemaRecord) -> SchemaText:
    """The text and the strict form of the module that the record was made from."""
    module = load_recorded_schema(task, project, source_sha256=schema.source_sha256)
    strict = build_strict_form(module.output_model)
    text = build_schema_text({task.settings.schema_.output_model: module.output_model})
    is_strict = isinstance(strict, StrictSchema)
    return SchemaText(
        schema_path=schema.path,
        source_sha256=schema.source_sha256,
        text=text,
        strict_schema=strict.schema if is_strict else None,
        problems=() if is_strict else tuple(map(render_problem, strict.problems)),
    )


def list_output_columns(
    task: Task, project: Project, *, schema: SchemaRecord
) -> tuple[ExportColumn, ...]:
    """The columns of the output and of the judge's verdict, in the order in which the module declares its fields."""
    module = load_recorded_schema(task, project, source_sha256=schema.source_sha256)
    nested = task.settings.export.nested
    outputs = build_json_schema(module.output_model, mode="serialization")
    columns = build_output_columns(outputs, nested)
    if task.settings.judge is None or module.judge_model is None:
        return columns
    verdicts = build_json_schema(module.judge_model, mode="serialization")
    return (*columns, *build_verdict_columns(verdicts, nested))
