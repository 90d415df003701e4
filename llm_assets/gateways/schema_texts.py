"""What a task's schema module says to a model and to an export."""

from llm_assets.core.answer_columns import AnswerSchemas
from llm_assets.core.ids import Sha256
from llm_assets.core.json_schema import build_json_schema, render_problem
from llm_assets.core.schema_record import SchemaRecord, SchemaText
from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.steps import build_strict_form
from llm_assets.core.strict_schema import StrictSchema
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_modules import SchemaModule
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


def load_answer_schemas(task: Task, project: Project, *, source_sha256: Sha256) -> AnswerSchemas:
    """What answers and verdicts look like once they are validated, by the module of this hash."""
    module = load_recorded_schema(task, project, source_sha256=source_sha256)
    return describe_answers(task, module)


def describe_answers(task: Task, module: SchemaModule) -> AnswerSchemas:
    """What answers and verdicts look like once they are validated by this module."""
    judge_model = None if task.settings.judge is None else module.judge_model
    return AnswerSchemas(
        output=build_json_schema(module.output_model, mode="serialization"),
        verdict=None
        if judge_model is None
        else build_json_schema(judge_model, mode="serialization"),
    )
