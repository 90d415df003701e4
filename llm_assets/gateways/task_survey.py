"""Which of a project's tasks can be loaded, and what is wrong with the others?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_assets.errors import ConfigError, LLMAssetsError
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task, list_task_names, load_endpoints, load_task


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenTask:
    """A task that cannot be loaded."""

    name: str
    """The stem of its file, which may be no name that a task can have."""
    config_path: Path
    problem: LLMAssetsError


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSurvey:
    """What became of the files in `configs/`, each part sorted by name."""

    tasks: tuple[Task, ...]
    broken: tuple[BrokenTask, ...] = ()

    def check_none_broken(self) -> None:
        """Make sure that every task could be loaded; one error for the mistakes of all that could not."""
        problems = [each.problem for each in self.broken]
        if len(problems) > 1:
            raise ConfigError("\n".join(map(str, problems)))
        if problems:
            raise problems[0]


def survey_tasks(project: Project) -> TaskSurvey:
    """All tasks of the project, whatever is wrong with some of them.

    `ConfigError` for what concerns every task: a mistake in the endpoints file, and a file that would be passed over.
    A task that is compared with one that cannot be loaded cannot be loaded either.
    """
    load_endpoints(project.root, project)
    tasks: list[Task] = []
    broken: list[BrokenTask] = []
    for name in list_task_names(project):
        try:
            tasks.append(load_task(project, name))
        except ConfigError as exc:
            path = project.configs / f"{name}.yaml"
            broken.append(BrokenTask(name=name, config_path=path, problem=exc))
    return leave_out(TaskSurvey(tasks=tuple(tasks)), broken, project)


def leave_out(survey: TaskSurvey, found: Sequence[BrokenTask], project: Project) -> TaskSurvey:
    """The survey once these were found broken, and with them each task that is compared with one of them, and so on."""
    broken = {each.name: each for each in (*survey.broken, *found)}
    left = [task for task in survey.tasks if task.name not in broken]
    while dependent := [task for task in left if _get_compared(task) in broken]:
        broken |= {task.name: _follow(task, project) for task in dependent}
        left = [task for task in left if task.name not in broken]
    return TaskSurvey(tasks=tuple(left), broken=tuple(broken[name] for name in sorted(broken)))


def load_tasks(project: Project) -> tuple[Task, ...]:
    """All tasks of the project, sorted by name; one `ConfigError` for the mistakes of all their files."""
    survey = survey_tasks(project)
    survey.check_none_broken()
    return survey.tasks


def _get_compared(task: Task) -> str | None:
    compare = task.settings.compare
    return None if compare is None else compare.with_


def _follow(task: Task, project: Project) -> BrokenTask:
    other = _get_compared(task)
    shown = project.show(task.config_path)
    problem = ConfigError(
        f"{shown}: compare.with: the task {other!r} cannot be loaded, so neither can {task.name!r}.",
        remedy=f"Mend {project.show(project.configs / f'{other}.yaml')}.",
    )
    return BrokenTask(name=task.name, config_path=task.config_path, problem=problem)
