"""What a task's gate looks at, and what the outputs are that people correct, as the schema module has them now."""

from llm_assets.core.gate_rule import GateRule, build_gate_rule
from llm_assets.core.output_forms import OutputForm
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_schemas import StepSchemas, load_step_schemas
from llm_assets.gateways.tasks import Task


def load_output_forms(task: Task, project: Project) -> tuple[OutputForm, ...]:
    """The output models of a task's steps, in the order in which the steps run."""
    return build_output_forms(task, load_step_schemas(task, project))


def build_output_forms(task: Task, schemas: StepSchemas) -> tuple[OutputForm, ...]:
    """The same, where the schema module was read already."""
    return tuple(OutputForm(step.name, schemas[step.name].output_model) for step in task.steps)


def load_gate_rule(task: Task, project: Project) -> GateRule | None:
    """The task's gate; None where it has none. `ConfigError` where outputs have no such number."""
    if task.settings.gate is None:
        return None
    return build_gate_rule(task.settings.gate, load_output_forms(task, project))
