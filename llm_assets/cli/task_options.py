"""What every command says that works on the batches of a task: which ones, how much of them, and with what settings."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import reduce, wraps
from pathlib import Path
from typing import Any

import click

from llm_assets.cli.task_choice import TaskChoice, choose_task, takes_config
from llm_assets.config.overrides import parse_assignment
from llm_assets.core.run_choice import RunChoice
from llm_assets.gateways.batches import (
    Batch,
    build_no_batches_error,
    find_batch,
    list_batches,
)
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task, check_no_gaps

Command = Callable[..., None]
FindFile = Callable[..., Batch]
"""`register_batch_file` of a command that runs, `find_batch_file` of one that looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """A task as it was asked for on the command line."""

    name: str | None
    config: Path | None
    batches: tuple[str, ...]
    inputs: tuple[Path, ...]
    limit: int | None
    is_forced: bool
    settings: tuple[str, ...]
    """Such as `llm.temperature=0.2`."""
    as_json: bool

    @property
    def run_choice(self) -> RunChoice:
        """Which of the items run."""
        return RunChoice(limit=self.limit, is_forced=self.is_forced)

    def choose_task(self) -> TaskChoice:
        """The task with the settings of this command; `ConfigError` where values are still to be given."""
        assignments = tuple(map(parse_assignment, self.settings))
        choice = choose_task(self.name, config=self.config, assignments=assignments)
        check_no_gaps(choice.task)
        return choice

    def choose_batches(self, choice: TaskChoice, find_file: FindFile) -> tuple[Batch, ...]:
        """The batches that are named, else all of the task's; `InputError` where there are none."""
        task, project = choice.task, choice.project
        chosen = [find_file(path, task=task, project=project) for path in self.inputs]
        chosen += [find_batch(task, project, key) for key in self.batches]
        return _without_repeats(chosen or list(list_batches(task, project)), task, project)


def _without_repeats(batches: list[Batch], task: Task, project: Project) -> tuple[Batch, ...]:
    if not batches:
        raise build_no_batches_error(task, project)
    return tuple({batch.key: batch for batch in batches}.values())


def takes_task(*, input_help: str, force_help: str, json_help: str) -> Callable[[Command], Command]:
    """Give a command the argument TASK and the options that go with it; it gets them as `request`.

    Each bears the name of its field there. The texts are those in which commands differ.
    """
    parameters = (
        click.argument("name", metavar="[TASK]", required=False),
        takes_config,
        click.option(
            "--batch", "batches", multiple=True, help="A batch by its key; all of them by default."
        ),
        click.option(
            "--input", "inputs", multiple=True, type=click.Path(path_type=Path), help=input_help
        ),
        click.option(
            "--limit", type=click.IntRange(min=1), help="Only the first so many items that are due."
        ),
        click.option("--force", "is_forced", is_flag=True, help=force_help),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="PATH=VALUE",
            help="A setting for this run alone, such as `llm.temperature=0.2`; may be given several times.",
        ),
        click.option("--json", "as_json", is_flag=True, help=json_help),
    )

    def decorate(command: Command) -> Command:
        @wraps(command)
        def take(**given: Any) -> None:  # noqa: ANN401 -- as click has parsed them
            asked = {each.name: given.pop(each.name) for each in fields(TaskRequest)}
            command(TaskRequest(**asked), **given)

        return reduce(lambda taking, add: add(taking), reversed(parameters), take)

    return decorate
