"""Which classes a task's answers and verdicts are validated by."""

from collections.abc import Mapping
from dataclasses import replace

from llm_assets.core.ids import Sha256, StepName
from llm_assets.errors import StorageError
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_modules import SchemaModule, load_schema_module
from llm_assets.gateways.tasks import Task, TaskStep

StepSchemas = Mapping[StepName | None, SchemaModule]
"""The task's module as each of its steps sees it."""


def load_task_schema(task: Task, project: Project) -> SchemaModule:
    """The task's schema module, with the classes of its last step and the models of all."""
    modules = list(load_step_schemas(task, project).values())
    models = {name: model for module in modules for name, model in module.models.items()}
    return replace(modules[-1], models=models)


def load_step_schemas(task: Task, project: Project) -> StepSchemas:
    """The task's schema module with the classes of each step; `ConfigError` where one of them is missing."""
    return {step.name: _load(task, project, step) for step in task.steps}


def _load(task: Task, project: Project, step: TaskStep) -> SchemaModule:
    return load_schema_module(
        task.schema_path,
        shown_path=project.show(task.schema_path),
        output_model=step.settings.output_model,
        judge_model=step.settings.judge_model,
    )


def load_recorded_schemas(task: Task, project: Project, *, source_sha256: Sha256) -> StepSchemas:
    """The module that an earlier stage was made from.

    `StorageError` where the module has changed since: what prompts say must be what validates.
    """
    modules = load_step_schemas(task, project)
    if any(module.source_sha256 != source_sha256 for module in modules.values()):
        raise StorageError(
            f"The schema module {project.show(task.schema_path)} changed after the stage `{task.name}/schema` ran.",
            remedy=f"Materialize `{task.name}/schema` and `{task.name}/schema_text` first.",
        )
    return modules
