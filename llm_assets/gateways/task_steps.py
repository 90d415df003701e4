"""How a task's files become the steps that its items go through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_assets.config.llm import JudgeSettings
from llm_assets.core.calls import Purpose
from llm_assets.core.gate_rule import build_gate_rule
from llm_assets.core.ids import StepName
from llm_assets.core.item_hooks import Hooks
from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.schema_fields import Schema
from llm_assets.core.step import Judge, Step
from llm_assets.core.steps import PromptNames, build_judge, build_step
from llm_assets.errors import ConfigError
from llm_assets.gateways.budget import check_budget
from llm_assets.gateways.connections import Connection, build_connection
from llm_assets.gateways.gating import build_output_forms
from llm_assets.gateways.hook_files import load_hooks
from llm_assets.gateways.project import Project
from llm_assets.gateways.prompt_files import load_prompt
from llm_assets.gateways.task_schemas import StepSchemas
from llm_assets.gateways.tasks import Task, TaskStep


@dataclass(frozen=True, kw_only=True)
class ConnectedStep:
    """A step, and how its models are reached."""

    step: Step
    connections: Mapping[Purpose, Connection]
    """The model that answers, and the judge's where there is one."""


def build_connections(
    step: TaskStep, project: Project, *, needs_key: bool = True
) -> dict[Purpose, Connection]:
    """How the models of a step are reached; `ConfigError` where a key or an address is missing."""
    settings = step.settings
    connections: dict[Purpose, Connection] = {
        "generate": build_connection(
            settings.llm, step.endpoint, project=project, needs_key=needs_key
        )
    }
    if settings.judge is not None:
        connections["judge"] = build_connection(
            settings.judge_llm, step.judge_endpoint, project=project, needs_key=needs_key
        )
    return connections


def build_task_steps(
    task: Task,
    project: Project,
    *,
    schemas: StepSchemas,
    texts: Mapping[StepName | None, str],
    columns: tuple[str, ...],
    needs_key: bool = True,
) -> tuple[ConnectedStep, ...]:
    """Read the prompts of all steps and put the steps together, in the order in which they run.

    `texts` are the schemas as the prompts tell them. `ConfigError` names what does not fit, also where the caps of
    the task's budget cannot be kept, and where no output has the number that its gate looks at.
    """
    if task.settings.gate is not None:
        build_gate_rule(task.settings.gate, build_output_forms(task, schemas))
    builder = _StepBuilder(task=task, project=project, schemas=schemas, columns=columns)
    steps: list[ConnectedStep] = []
    for each in task.steps:
        connections = build_connections(each, project, needs_key=needs_key)
        step = builder.build(each, connections, schema_text=texts[each.name])
        steps.append(ConnectedStep(step=step, connections=connections))
    check_task_budget(task, steps)
    return tuple(steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StepBuilder:
    """What all steps of a task are put together from."""

    task: Task
    project: Project
    schemas: StepSchemas
    columns: tuple[str, ...]

    def build(
        self, step: TaskStep, connections: Mapping[Purpose, Connection], *, schema_text: str
    ) -> Step:
        rules = step.settings.judge
        shown = self.project.show(step.prompt_path)
        hooks = load_hooks(step.settings.hooks, self.task, self.project)
        return build_step(
            step.settings,
            prompt=load_prompt(step.prompt_path, shown=shown),
            prompt_path=shown,
            endpoint=step.endpoint,
            base_url=connections["generate"].base_url,
            output_model=self.schemas[step.name].output_model,
            schema_text=schema_text,
            names=self._list_names(step),
            judge=None
            if rules is None
            else self._build_judge(step, rules, connection=connections["judge"], hooks=hooks),
            hooks=hooks,
        )

    def _build_judge(
        self,
        step: TaskStep,
        rules: JudgeSettings,
        *,
        connection: Connection,
        hooks: Hooks | None,
    ) -> Judge:
        verdict_model = self.schemas[step.name].judge_model
        if verdict_model is None:
            raise self._build_missing_error(step)
        path = self.task.resolve(rules.prompt)
        shown = self.project.show(path)
        return build_judge(
            step.settings,
            rules,
            prompt=load_prompt(path, shown=shown),
            prompt_path=shown,
            endpoint=step.judge_endpoint,
            base_url=connection.base_url,
            verdict_model=verdict_model,
            names=self._list_names(step),
            hooks=hooks,
        )

    def _list_names(self, step: TaskStep) -> PromptNames:
        names = tuple(map(StepName, step.settings.upstream))
        models = {name: self.schemas[name].output_model for name in names}
        schemas: dict[StepName, Schema] = {
            name: build_json_schema(model, mode="serialization") for name, model in models.items()
        }
        return PromptNames(
            mode=self.task.settings.grouping.mode, columns=self.columns, upstream=schemas or None
        )

    def _build_missing_error(self, step: TaskStep) -> ConfigError:
        setting = "schema.judge_model" if step.name is None else "judge_model"
        return ConfigError(
            f"The schema module {self.project.show(self.task.schema_path)} has no {step.settings.judge_model!r}, "
            "which the judge's verdicts are validated by.",
            remedy=f"Add the class, name another one with `{setting}`, or take `judge` out of the config.",
        )


def check_task_budget(task: Task, steps: Sequence[ConnectedStep]) -> None:
    """Make sure that the caps of the task can be kept; `ConfigError` says what is missing."""
    for each in steps:
        caps = [each.step.max_output_tokens]
        if each.step.judge is not None:
            caps.append(each.step.judge.max_output_tokens)
        for connection in each.connections.values():
            check_budget(
                task.settings.budget,
                compute_cost=connection.compute_cost,
                has_output_cap=None not in caps,
            )
