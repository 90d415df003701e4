"""How does a Dagster project of its own take tasks in?"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import dagster as dg

from llm_assets.defs.project_definitions import build_scope
from llm_assets.defs.registering import register_batches
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.sources import build_source_assets
from llm_assets.defs.task_definitions import build_stage_assets, build_task_definitions
from llm_assets.errors import ConfigError
from llm_assets.gateways.batches import register_batch_file
from llm_assets.gateways.project import Project, find_root_around, resolve_path
from llm_assets.gateways.task_survey import load_tasks
from llm_assets.gateways.tasks import Task, load_task, load_task_file

KeyPrefix = str | Sequence[str]


def build_definitions(
    path: str | PathLike[str], *, tasks: Sequence[str] | None = None, key_prefix: KeyPrefix = ()
) -> dg.Definitions:
    """The tasks of a folder, ready for `dg.Definitions.merge`.

    `path` is the folder that holds `configs/` and `prompts/`, or the file of one task; a relative one starts from
    the working directory, so `Path(__file__).parent / "llm"` is safer. `tasks` names some of the folder's tasks.
    `key_prefix` comes before the task's name in every asset key.

    They bring what keeps their values with them and name neither a resource nor an executor, so yours stay as they
    are; their jobs run in one process of their own. `ConfigError` names every mistake in the tasks' files.
    """
    project, found = _load_tasks(Path(path), names=tasks)
    scopes = [_build_scope(project, task, key_prefix) for task in found]
    return dg.Definitions.merge(*(build_task_definitions(scope) for scope in scopes))


def build_task_assets(
    config: str | PathLike[str], *, key_prefix: KeyPrefix = ()
) -> list[dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset]:
    """The stages of one task and the files they come from, for `dg.Definitions(assets=[...])`.

    `config` is the task's file. Without the jobs of `build_definitions` they run under your own jobs and executor.
    """
    scope = load_scope(config, key_prefix=key_prefix)
    return [*build_source_assets(scope), *build_stage_assets(scope)]


def register_batch(
    instance: dg.DagsterInstance,
    table: str | PathLike[str],
    *,
    config: str | PathLike[str],
    key_prefix: KeyPrefix = (),
) -> str:
    """Make a table known as a batch of a task, and its content as the batch's version; its partition key.

    For code that writes the table: call it afterwards, with `context.instance`. It has to come before the batch's
    first run, and may come as often as the table is written: the same content tells nothing new. A table outside
    of the task's input folder is remembered. `InputError` where the file cannot be a batch.
    """
    scope = load_scope(config, key_prefix=key_prefix)
    batch = register_batch_file(Path(table), task=scope.task, project=scope.project)
    register_batches(scope, instance, [batch])
    return batch.key


def load_scope(config: str | PathLike[str], *, key_prefix: KeyPrefix = ()) -> TaskScope:
    """One task by its file, in the project around that file or else in the file's own folder."""
    project, (task,) = _load_tasks(Path(config), names=None, is_file=True)
    return _build_scope(project, task, key_prefix)


def _load_tasks(
    path: Path, *, names: Sequence[str] | None, is_file: bool = False
) -> tuple[Project, Sequence[Task]]:
    absolute = resolve_path(path, home=Path.cwd())
    if is_file or absolute.suffix in {".yaml", ".yml"}:
        if names is not None:
            what = f"The file {absolute.name} is one task, so `tasks` has nothing to choose from."
            raise ConfigError(what, remedy="Leave it out, or name the folder around configs/.")
        project = Project(root=find_root_around(absolute.parent) or absolute.parent)
        return project, [load_task_file(absolute, project)]
    if not any(absolute.glob("configs/*.yaml")):
        what = f"There are no tasks in {absolute}."
        raise ConfigError(what, remedy="Name the folder that holds configs/<task>.yaml.")
    project = Project(root=absolute)
    if names is None:
        return project, load_tasks(project)
    return project, [load_task(project, name) for name in names]


def _build_scope(project: Project, task: Task, key_prefix: KeyPrefix) -> TaskScope:
    prefix = (key_prefix,) if isinstance(key_prefix, str) else tuple(key_prefix)
    return build_scope(project, task, observers=(), key_prefix=prefix)
