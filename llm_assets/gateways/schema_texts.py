"""What a task's schema module says to a model and to an export."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, create_model

from llm_assets.core.answer_columns import AnswerSchemas
from llm_assets.core.ids import Sha256, StepName
from llm_assets.core.json_schema import JsonObject, build_json_schema, render_problem
from llm_assets.core.schema_record import SchemaRecord, SchemaText
from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.steps import build_strict_form
from llm_assets.core.strict_schema import StrictSchema, Unsupported
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_modules import SchemaModule
from llm_assets.gateways.task_schemas import StepSchemas, load_recorded_schemas
from llm_assets.gateways.tasks import Task, TaskStep


def describe_task_schema(task: Task, project: Project, *, schema: SchemaRecord) -> SchemaText:
    """The text and the strict form of the module that the record was made from.

    Of a task with several steps, the text has the models of all of them, and the form one for each model.
    """
    modules = load_recorded_schemas(task, project, source_sha256=schema.source_sha256)
    models = {step.settings.output_model: modules[step.name].output_model for step in task.steps}
    forms = {name: build_strict_form(model) for name, model in models.items()}
    problems = [
        render_problem(problem)
        for form in forms.values()
        if isinstance(form, Unsupported)
        for problem in form.problems
    ]
    strict: JsonObject = {
        name: form.schema for name, form in forms.items() if isinstance(form, StrictSchema)
    }
    only = next(iter(forms.values()))
    if not task.has_chain and isinstance(only, StrictSchema):
        strict = only.schema
    return SchemaText(
        schema_path=schema.path,
        source_sha256=schema.source_sha256,
        text=build_schema_text(models),
        strict_schema=None if problems else strict,
        problems=tuple(problems),
    )


def build_step_texts(task: Task, modules: StepSchemas) -> dict[StepName | None, str]:
    """What the prompt of each step knows as `llm_schema`: its own model and no other."""
    return {
        step.name: build_schema_text({step.settings.output_model: modules[step.name].output_model})
        for step in task.steps
    }


def load_answer_schemas(task: Task, project: Project, *, source_sha256: Sha256) -> AnswerSchemas:
    """What outputs and verdicts look like once they are validated, by the module of this hash.

    Those of several steps hold one object a step, under the step's name, and the columns of each step by itself.
    """
    modules = load_recorded_schemas(task, project, source_sha256=source_sha256)
    of_steps = {step.name: _build_schemas(step, modules[step.name]) for step in task.steps}
    if not task.has_chain:
        return of_steps[None]
    judges = {
        name: model
        for step in task.steps
        if (name := step.name) is not None
        and step.settings.judge is not None
        and (model := modules[name].judge_model) is not None
    }
    return AnswerSchemas(
        output=build_json_schema(build_joined_model(task, modules), mode="serialization"),
        verdict=build_json_schema(_join_models(judges), mode="serialization") if judges else None,
        steps={name: schemas for name, schemas in of_steps.items() if name is not None},
    )


def build_joined_model(task: Task, modules: StepSchemas) -> type[BaseModel]:
    """The class of a whole output: the task's own, or one with an object for each of its steps."""
    if not task.has_chain:
        return modules[None].output_model
    return _join_models({name: modules[name].output_model for name in task.step_names})


def _join_models(models: Mapping[StepName, type[BaseModel]]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        # A step may be called like a method of every model, so that its name stands in the text alone.
        f"step_{place}": (model, Field(alias=name))
        for place, (name, model) in enumerate(models.items())
    }
    return create_model("Steps", **fields)


def _build_schemas(step: TaskStep, module: SchemaModule) -> AnswerSchemas:
    judge_model = None if step.settings.judge is None else module.judge_model
    return AnswerSchemas(
        output=build_json_schema(module.output_model, mode="serialization"),
        verdict=None
        if judge_model is None
        else build_json_schema(judge_model, mode="serialization"),
    )
