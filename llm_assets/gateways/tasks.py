"""Which tasks are there, and what does each one's file say?"""

import re
from dataclasses import dataclass
from pathlib import Path

from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.parsing import find_endpoint, parse_endpoints, parse_settings
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import parse_yaml
from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import Sha256, TaskName
from llm_assets.errors import ConfigError, suggest
from llm_assets.gateways.project import Project, find_root_around, resolve_path
from llm_assets.gateways.text_files import read_text_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task file that was read and found right."""

    name: TaskName
    settings: TaskSettings
    endpoint: EndpointSettings
    """The one that `llm.endpoint` names, its preset filled in."""
    judge_endpoint: EndpointSettings
    """The one that `judge.llm.endpoint` names; the task's own where it names none."""
    config_path: Path
    config_sha256: Sha256
    """Of the file's text."""
    home: Path
    """Where relative paths in this config start: the project it lies in, else its own folder."""

    def resolve(self, relative: str) -> Path:
        """A path of this config, whatever the working directory."""
        return resolve_path(relative, home=self.home)

    @property
    def prompt_path(self) -> Path:
        """The prompt file."""
        return self.resolve(self.settings.prompt)

    @property
    def judge_prompt_path(self) -> Path | None:
        """The judge's prompt file; None where the task has no judge."""
        judge = self.settings.judge
        return None if judge is None else self.resolve(judge.prompt)

    @property
    def schema_path(self) -> Path:
        """The Python module with the output model."""
        return self.resolve(self.settings.schema_.module or f"configs/schemas/{self.name}.py")

    @property
    def input_folder(self) -> Path:
        """The folder whose files are the task's batches."""
        return self.resolve(self.settings.input.folder or f"data/inputs/{self.name}")


def list_task_names(project: Project) -> tuple[str, ...]:
    """The names of the project's task files, sorted; `ConfigError` for one that would be passed over."""
    files = [path for path in project.configs.glob("*.y*ml") if not path.name.startswith(".")]
    for path in sorted(files):
        if path.suffix == ".yml":
            what = f"{project.show(path)} is not read, because its name ends in .yml."
            raise ConfigError(what, remedy=f"Rename it to {path.stem}.yaml.")
    return tuple(sorted(path.stem for path in files if path != project.endpoints_path))


def load_task(project: Project, name: str) -> Task:
    """The task `configs/<name>.yaml`; `ConfigError` where there is none or its file has mistakes."""
    names = list_task_names(project)
    if name not in names:
        known = f"Tasks: {', '.join(names)}." if names else "Write configs/<task>.yaml first."
        what = f"There is no task {name!r} in configs/."
        raise ConfigError(what, remedy=f"{suggest(name, names)} {known}".strip())
    return load_task_file(project.configs / f"{name}.yaml", project)


def load_tasks(project: Project) -> tuple[Task, ...]:
    """All tasks of the project, sorted by name; one `ConfigError` for the mistakes of all their files."""
    # Mistakes in the endpoints file concern every task and are told once.
    _load_endpoints(project.root, project)
    tasks: list[Task] = []
    errors: list[ConfigError] = []
    for name in list_task_names(project):
        try:
            tasks.append(load_task(project, name))
        except ConfigError as exc:
            errors.append(exc)
    if len(errors) > 1:
        raise ConfigError("\n".join(map(str, errors)))
    if errors:
        raise errors[0]
    return tuple(tasks)


def load_task_file(path: Path, project: Project) -> Task:
    """The task of any config file, inside the project or not.

    A config elsewhere belongs to the project around it, else to its own folder: its relative paths start there.
    Endpoints of both places are known to it, its own ones first.
    """
    config_path = resolve_path(path, home=Path.cwd())
    shown = project.locate(config_path)
    home = _find_home(config_path, project)
    text = read_text_file(config_path, shown=shown, purpose="task file")
    document = parse_yaml(text, file=shown)
    settings = parse_settings(TaskSettings, document)
    own_endpoints = _load_endpoints(project.root, project) | _load_endpoints(home, project)
    endpoint = find_endpoint(settings.llm, own_endpoints, document=document)
    judge_endpoint = endpoint
    if settings.judge is not None and settings.judge.llm is not None:
        judge_endpoint = find_endpoint(
            settings.judge_llm, own_endpoints, at=("judge", "llm"), document=document
        )
    return Task(
        name=_check_name(config_path.stem, shown=shown),
        settings=settings,
        endpoint=endpoint,
        judge_endpoint=judge_endpoint,
        config_path=config_path,
        config_sha256=fingerprint_text(text),
        home=home,
    )


def _find_home(config_path: Path, project: Project) -> Path:
    around = find_root_around(config_path.parent)
    own = project.root if project.contains(config_path) else config_path.parent
    return around or own


def _load_endpoints(home: Path, project: Project) -> dict[str, EndpointSettings]:
    path = home / "configs" / "endpoints.yaml"
    if not path.is_file():
        return {}
    shown = project.locate(path)
    text = read_text_file(path, shown=shown, purpose="endpoints file")
    return parse_endpoints(text, file=shown).endpoints


def _check_name(stem: str, *, shown: str) -> TaskName:
    if not re.fullmatch(r"[A-Za-z0-9_]+", stem):
        better = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_") or "task"
        what = f"{shown}: a task's name may hold only letters, digits and `_`."
        raise ConfigError(what, remedy=f"Rename the file to {better}.yaml.")
    return TaskName(stem)
