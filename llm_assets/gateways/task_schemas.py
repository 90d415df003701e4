"""Which classes a task's answers and verdicts are validated by."""

from llm_assets.core.ids import Sha256
from llm_assets.errors import StorageError
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_modules import SchemaModule, load_schema_module
from llm_assets.gateways.tasks import Task


def load_task_schema(task: Task, project: Project) -> SchemaModule:
    """The task's schema module."""
    schema = task.settings.schema_
    return load_schema_module(
        task.schema_path,
        shown_path=project.show(task.schema_path),
        output_model=schema.output_model,
        judge_model=schema.judge_model,
    )


def load_recorded_schema(task: Task, project: Project, *, source_sha256: Sha256) -> SchemaModule:
    """The module that an earlier stage was made from.

    `StorageError` where the module has changed since: what prompts say must be what validates.
    """
    module = load_task_schema(task, project)
    if module.source_sha256 != source_sha256:
        raise StorageError(
            f"The schema module {project.show(task.schema_path)} changed after the stage `{task.name}/schema` ran.",
            remedy=f"Materialize `{task.name}/schema` and `{task.name}/schema_text` first.",
        )
    return module
