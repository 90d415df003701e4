"""Everything Dagster knows about a project."""

from collections.abc import Sequence

import dagster as dg

from llm_assets.defs.broken_tasks import build_broken_spec, tell_broken
from llm_assets.defs.compared_task import build_compared_specs
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import build_task_definitions
from llm_assets.errors import ConfigError, LLMAssetsError
from llm_assets.gateways.clock import SystemClock
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_survey import BrokenTask, leave_out, survey_tasks
from llm_assets.gateways.tasks import Task

VALIDATION_VARIABLE = "DAGSTER_IS_DEFS_VALIDATION_CLI"
"""Set by `dagster definitions validate`, for the code that it loads to know."""


def build_project_definitions(project: Project) -> dg.Definitions:
    """All tasks of the project; one that cannot be loaded is left out, and its node says what is wrong.

    An error names every mistake where no task can be loaded, and where Dagster was asked to validate.
    """
    survey = survey_tasks(project)
    built, refused = _build_tasks(project, survey.tasks)
    survey = leave_out(survey, refused, project)
    if not survey.tasks or project.environ.get(VALIDATION_VARIABLE):
        survey.check_none_broken()
    tell_broken(survey.broken)
    scopes = [build_scope(project, task, observers=()) for task in survey.tasks]
    specs = [build_broken_spec(each, project) for each in survey.broken]
    return _merge(scopes, [built[task.name] for task in survey.tasks], specs)


def build_definitions(
    project: Project, tasks: Sequence[Task], *, observers: Sequence[Observer]
) -> dg.Definitions:
    """The assets and jobs of these tasks."""
    scopes = [build_scope(project, task, observers=observers) for task in tasks]
    return _merge(scopes, [build_task_definitions(scope) for scope in scopes], [])


def _build_tasks(
    project: Project, tasks: Sequence[Task]
) -> tuple[dict[str, dg.Definitions], list[BrokenTask]]:
    """The definitions of each task by its name, and the tasks whose settings Dagster does not take."""
    built: dict[str, dg.Definitions] = {}
    refused: list[BrokenTask] = []
    for task in tasks:
        try:
            built[task.name] = build_task_definitions(build_scope(project, task, observers=()))
        except (LLMAssetsError, dg.DagsterInvalidDefinitionError) as exc:
            problem = exc if isinstance(exc, LLMAssetsError) else _convert(exc, task, project)
            path = task.config_path
            refused.append(BrokenTask(name=task.name, config_path=path, problem=problem))
    return built, refused


def _convert(exc: dg.DagsterInvalidDefinitionError, task: Task, project: Project) -> ConfigError:
    shown = project.show(task.config_path)
    return ConfigError(f"{shown}: Dagster does not take it: {exc}", remedy=f"Change {shown}.")


def _merge(
    scopes: Sequence[TaskScope], built: Sequence[dg.Definitions], specs: Sequence[dg.AssetSpec]
) -> dg.Definitions:
    """One graph of these tasks.

    Steps run in the process of their run: the calls of a stage are concurrent by themselves, and a process for
    each of eight short stages would take ten times as long as the stages.
    """
    assets = [*build_compared_specs(scopes), *specs]
    shared = dg.Definitions(assets=assets, executor=dg.in_process_executor)
    return dg.Definitions.merge(shared, *built)


def build_scope(
    project: Project,
    task: Task,
    *,
    observers: Sequence[Observer],
    key_prefix: tuple[str, ...] = (),
) -> TaskScope:
    """One task with the machine's own clock."""
    return TaskScope(
        project=project,
        task=task,
        clock=SystemClock(),
        observers=observers,
        key_prefix=key_prefix,
    )
