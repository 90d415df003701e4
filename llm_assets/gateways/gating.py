"""What outputs look like in each step of a task, for its gate and for people who correct them."""

from llm_assets.core.ids import Sha256
from llm_assets.core.output_forms import OutputForm
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_schemas import (
    StepSchemas,
    load_recorded_schemas,
    load_step_schemas,
)
from llm_assets.gateways.tasks import Task


def load_output_forms(task: Task, project: Project) -> tuple[OutputForm, ...]:
    """The output models of a task's steps, in the order in which the steps run."""
    return build_output_forms(task, load_step_schemas(task, project))


def load_recorded_forms(
    task: Task, project: Project, *, source_sha256: Sha256
) -> tuple[OutputForm, ...]:
    """The same of the module that an earlier stage was made from; `StorageError` where it has changed since."""
    schemas = load_recorded_schemas(task, project, source_sha256=source_sha256)
    return build_output_forms(task, schemas)


def build_output_forms(task: Task, schemas: StepSchemas) -> tuple[OutputForm, ...]:
    """The same, where the schema module was read already."""
    return tuple(OutputForm(step.name, schemas[step.name].output_model) for step in task.steps)
