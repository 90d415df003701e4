"""Which task a command is about, and in which project its history lies."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_assets.config.overrides import Assignment
from llm_assets.errors import ConfigError
from llm_assets.gateways.env_file import load_env_file
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project, find_project_root, find_root_around, load_project
from llm_assets.gateways.tasks import (
    Task,
    list_task_names,
    load_task,
    load_task_file,
    override_task,
)

if TYPE_CHECKING:
    from llm_assets.defs.runs import TaskRunner  # imports Dagster, which takes long

takes_config = click.option(
    "--config", type=click.Path(path_type=Path), help="A task file outside of the project."
)
"""The option of every command that does not go by the task's name alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChoice:
    """A task and the project whose ledger and artifacts it uses."""

    task: Task
    project: Project


def choose_task(
    name: str | None, *, config: Path | None, assignments: Sequence[Assignment] = ()
) -> TaskChoice:
    """The task by its name in the project around the working directory, or by its file anywhere.

    A file outside of any project keeps its history in the project around the working directory, else beside
    itself. `assignments` are settings for this command alone.
    """
    choice = _find_task(name, config=config)
    task = override_task(choice.task, choice.project, assignments)
    return replace(choice, task=task)


@contextmanager
def open_runner(choice: TaskChoice, observers: Sequence[Observer] = ()) -> "Generator[TaskRunner]":
    """What runs the task and knows its history."""
    from llm_assets.defs.history import open_history
    from llm_assets.defs.project_definitions import build_scope
    from llm_assets.defs.runs import open_task_runner

    scope = build_scope(choice.project, choice.task, observers=observers)
    with open_history(choice.project) as history, open_task_runner(scope, history) as runner:
        yield runner


def _find_task(name: str | None, *, config: Path | None) -> TaskChoice:
    if (name is None) is (config is None):
        raise click.UsageError("Name a TASK of this project, or a file with --config.")
    if config is None:
        project = load_project(Path.cwd())
        load_env_file(project.root)
        return TaskChoice(task=load_task(project, str(name)), project=project)
    path = config.absolute()
    root = find_project_root(Path.cwd()) or find_root_around(path.parent) or path.parent
    project = Project(root=root, environ=os.environ)
    load_env_file(project.root)
    task = load_task_file(path, project)
    _check_name_is_free(task, project)
    return TaskChoice(task=task, project=project)


def _check_name_is_free(task: Task, project: Project) -> None:
    """A task from elsewhere must not write into the artifacts of one of the project's own."""
    is_own = task.config_path == project.configs / f"{task.name}.yaml"
    if not is_own and task.name in list_task_names(project):
        raise ConfigError(
            f"The project in {project.root} has a task {task.name!r} of its own, whose results {task.config_path} "
            "would replace; nothing was run.",
            remedy="Rename the file; its name is the task's name.",
        )
