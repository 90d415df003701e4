"""Can everything that people wrote for a task be read?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from llm_assets.core.findings import Finding, build_problems
from llm_assets.core.json_schema import render_problem
from llm_assets.core.steps import build_strict_form
from llm_assets.core.strict_schema import StrictSchema
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.prompt_files import load_prompt
from llm_assets.gateways.schema_modules import SchemaModule
from llm_assets.gateways.task_schemas import load_step_schemas
from llm_assets.gateways.tasks import Task, TaskStep, list_task_names, load_task

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedTasks:
    """The tasks that could be read, and what was found on the way."""

    tasks: tuple[Task, ...]
    findings: tuple[Finding, ...]


def examine_tasks(project: Project, name: str | None) -> ExaminedTasks:
    """One task by its name, or all of the project; `ConfigError` where there is none of that name."""
    problems: list[Finding] = []
    names = _attempt("configs", problems, lambda: list_task_names(project)) or ()
    if name is not None and name not in names:
        load_task(project, name)
    chosen = names if name is None else (name,)
    loaded = [
        _attempt(f"task {each}", problems, lambda each=each: load_task(project, each))
        for each in chosen
    ]
    tasks = tuple(task for task in loaded if task is not None)
    if not names and not problems:
        text = "configs/ holds no task yet."
        problems.append(Finding(level="warning", subject="configs", text=text))
    found = [finding for task in tasks for finding in _examine_task(task, project)]
    return ExaminedTasks(tasks=tasks, findings=(*problems, *found))


def _examine_task(task: Task, project: Project) -> Iterator[Finding]:
    subject = f"task {task.name}"
    problems: list[Finding] = []
    prompts = [path for step in task.steps for path in (step.prompt_path, step.judge_prompt_path)]
    for path in dict.fromkeys(path for path in prompts if path is not None):
        shown = project.show(path)
        _attempt(subject, problems, lambda path=path, shown=shown: load_prompt(path, shown=shown))
    batches = _attempt(subject, problems, lambda: list_batches(task, project))
    if task.settings.schema_.generate is None or task.schema_path.exists():
        modules = _attempt(subject, problems, lambda: load_step_schemas(task, project))
        if modules is not None:
            for step in task.steps:
                problems += _examine_form(task, step, modules[step.name])
    yield from problems
    if not any(finding.level == "problem" for finding in problems):
        yield _describe(task, project, n_batches=len(batches or ()))


def _describe(task: Task, project: Project, *, n_batches: int) -> Finding:
    subject = f"task {task.name}"
    if n_batches:
        text = f"config, prompt and schema load; batches: {n_batches}"
        return Finding(level="ok", subject=subject, text=text)
    folder = project.show(task.input_folder)
    text = f"config, prompt and schema load, but there is no table in {folder}."
    remedy = "Put one there, or name one with `llm-assets run --input`."
    return Finding(level="warning", subject=subject, text=text, remedy=remedy)


def _examine_form(task: Task, step: TaskStep, module: SchemaModule) -> Iterator[Finding]:
    """Whether answers can be held to the schema as strictly as the endpoint would."""
    wanted = step.settings.llm.structured_output or step.endpoint.structured_output
    strict = build_strict_form(module.output_model)
    if wanted != "json_schema" or isinstance(strict, StrictSchema):
        return
    reasons = "; ".join(map(render_problem, strict.problems))
    text = f"the endpoint cannot hold answers to this schema ({reasons}), so more of them fail."
    remedy = "Change the schema there, or leave it: every answer is validated all the same."
    yield Finding(level="warning", subject=f"task {task.name}", text=text, remedy=remedy)


def _attempt(subject: str, problems: list[Finding], load: Callable[[], Value]) -> Value | None:
    try:
        return load()
    except LLMAssetsError as exc:
        problems += build_problems(subject, exc)
        return None
