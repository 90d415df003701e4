"""Everything Dagster knows about a project."""

from collections.abc import Sequence

import dagster as dg

from llm_assets.defs.compared_task import build_compared_specs
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import build_task_definitions
from llm_assets.gateways.clock import SystemClock
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task, load_tasks


def build_project_definitions(project: Project) -> dg.Definitions:
    """All tasks of the project; `ConfigError` names every mistake in their files."""
    return build_definitions(project, load_tasks(project), observers=())


def build_definitions(
    project: Project, tasks: Sequence[Task], *, observers: Sequence[Observer]
) -> dg.Definitions:
    """The assets and jobs of these tasks.

    Steps run in the process of their run: the calls of a stage are concurrent by themselves, and a process for
    each of eight short stages would take ten times as long as the stages.
    """
    scopes = [build_scope(project, task, observers=observers) for task in tasks]
    shared = dg.Definitions(assets=build_compared_specs(scopes), executor=dg.in_process_executor)
    return dg.Definitions.merge(shared, *(build_task_definitions(scope) for scope in scopes))


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
