"""How a task's files become the step that all of its items go through."""

from collections.abc import Mapping

from llm_assets.config.task import JudgeSettings
from llm_assets.core.calls import Purpose
from llm_assets.core.item_hooks import Hooks
from llm_assets.core.step import Judge, Step
from llm_assets.core.steps import build_judge, build_step
from llm_assets.errors import ConfigError
from llm_assets.gateways.budget import check_budget
from llm_assets.gateways.connections import Connection, build_connection
from llm_assets.gateways.hook_files import load_task_hooks
from llm_assets.gateways.project import Project
from llm_assets.gateways.prompt_files import load_prompt
from llm_assets.gateways.schema_modules import SchemaModule
from llm_assets.gateways.tasks import Task


def build_connections(
    task: Task, project: Project, *, needs_key: bool = True
) -> dict[Purpose, Connection]:
    """How the models of a task are reached; `ConfigError` where a key or an address is missing."""
    settings = task.settings
    connections: dict[Purpose, Connection] = {
        "generate": build_connection(
            settings.llm, task.endpoint, project=project, needs_key=needs_key
        )
    }
    if settings.judge is not None:
        connections["judge"] = build_connection(
            settings.judge_llm, task.judge_endpoint, project=project, needs_key=needs_key
        )
    return connections


def build_task_step(
    task: Task,
    project: Project,
    *,
    module: SchemaModule,
    connections: Mapping[Purpose, Connection],
    schema_text: str,
    columns: tuple[str, ...],
) -> Step:
    """Read the task's prompts and put the step together; `ConfigError` names what does not fit."""
    shown = project.show(task.prompt_path)
    rules = task.settings.judge
    hooks = load_task_hooks(task, project)
    return build_step(
        task.settings,
        prompt=load_prompt(task.prompt_path, shown=shown),
        prompt_path=shown,
        endpoint=task.endpoint,
        base_url=connections["generate"].base_url,
        output_model=module.output_model,
        schema_text=schema_text,
        columns=columns,
        judge=None
        if rules is None
        else _build_judge(
            task,
            project,
            rules,
            module=module,
            connection=connections["judge"],
            columns=columns,
            hooks=hooks,
        ),
        hooks=hooks,
    )


def _build_judge(
    task: Task,
    project: Project,
    rules: JudgeSettings,
    *,
    module: SchemaModule,
    connection: Connection,
    columns: tuple[str, ...],
    hooks: Hooks | None,
) -> Judge:
    if module.judge_model is None:
        raise ConfigError(
            f"The schema module {project.show(task.schema_path)} has no {task.settings.schema_.judge_model!r}, "
            "which the judge's verdicts are validated by.",
            remedy="Add the class, name another one with `schema.judge_model`, or take `judge` out of the config.",
        )
    path = task.resolve(rules.prompt)
    shown = project.show(path)
    return build_judge(
        task.settings,
        rules,
        prompt=load_prompt(path, shown=shown),
        prompt_path=shown,
        endpoint=task.judge_endpoint,
        base_url=connection.base_url,
        verdict_model=module.judge_model,
        columns=columns,
        hooks=hooks,
    )


def check_task_budget(task: Task, step: Step, connections: Mapping[Purpose, Connection]) -> None:
    """Make sure that the caps of the task can be kept; `ConfigError` says what is missing."""
    caps: list[int | None] = [step.max_output_tokens]
    if step.judge is not None:
        caps.append(step.judge.max_output_tokens)
    for connection in connections.values():
        check_budget(
            task.settings.budget,
            compute_cost=connection.compute_cost,
            has_output_cap=None not in caps,
        )
