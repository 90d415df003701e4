"""How a task's schema module is told to a model."""

from llm_assets.core.json_schema import render_problem
from llm_assets.core.schema_record import SchemaRecord, SchemaText
from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.steps import build_strict_form
from llm_assets.core.strict_schema import StrictSchema
from llm_assets.gateways.generation import load_recorded_schema
from llm_assets.gateways.project import Project
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
