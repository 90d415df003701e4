"""Which tasks are there, and what does each one's file say?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llm_assets.config.compared_task import check_compared_task
from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.gaps import Gap, list_gaps, parse_with_gaps
from llm_assets.config.layers import lay_over
from llm_assets.config.overrides import Assignment, build_override
from llm_assets.config.parsing import find_endpoint, parse_endpoints
from llm_assets.config.problems import KeyPath
from llm_assets.config.step_problems import find_step_problems
from llm_assets.config.steps import ChainStep
from llm_assets.config.task import LLMSettings, TaskSettings
from llm_assets.config.yaml_text import YamlDocument
from llm_assets.core.ids import Sha256, StepName, TaskName
from llm_assets.core.number_words import render_count
from llm_assets.core.setting_changes import SettingChange, list_setting_changes
from llm_assets.errors import ConfigError, suggest
from llm_assets.gateways.project import Project, find_root_around, resolve_path
from llm_assets.gateways.task_files import TaskFile, read_task_file
from llm_assets.gateways.text_files import read_text_file


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStep:
    """One of a task's steps, with the endpoints and files that it names."""

    settings: ChainStep
    endpoint: EndpointSettings
    """The one that its `llm.endpoint` names, its preset filled in."""
    judge_endpoint: EndpointSettings
    """The one that its judge is asked at; the step's own where the judge names none."""
    prompt_path: Path
    judge_prompt_path: Path | None
    """None where the step has no judge."""

    @property
    def name(self) -> StepName | None:
        """None for the only step of a task that names none."""
        return None if self.settings.name is None else StepName(self.settings.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task file that was read and found right."""

    name: TaskName
    settings: TaskSettings
    endpoint: EndpointSettings
    """The one that `llm.endpoint` names, its preset filled in."""
    steps: tuple[TaskStep, ...]
    """In the order in which they run; a task that names none is one step without a name."""
    embed_endpoint: EndpointSettings | None
    """The one that `embed.endpoint` names; None where the task makes no vectors."""
    config_path: Path
    config_sha256: Sha256
    """Of the file's text."""
    home: Path
    """Where relative paths in this config start: the project it lies in, else its own folder."""
    file: TaskFile
    """What its file says, with those that it extends."""
    gaps: tuple[Gap, ...] = ()
    """Values that a person has still to give before it can run."""
    changes: tuple[SettingChange, ...] = ()
    """What was set for one run."""

    def resolve(self, relative: str) -> Path:
        """A path of this config, whatever the working directory."""
        return resolve_path(relative, home=self.home)

    @property
    def has_chain(self) -> bool:
        """Whether its steps have names, and assets of their own."""
        return self.steps[0].name is not None

    @property
    def is_rehearsal(self) -> bool:
        """Whether the offline model gives any of the answers."""
        return any(step.endpoint.is_offline for step in self.steps)

    @property
    def step_names(self) -> tuple[StepName, ...]:
        """The names of its steps; none where it names none."""
        return tuple(step.name for step in self.steps if step.name is not None)

    @property
    def schema_path(self) -> Path:
        """The Python module with the output model."""
        module = self.settings.schema_.module
        return self.resolve(module or f"configs/schemas/{self.file.root_name}.py")

    @property
    def input_folder(self) -> Path:
        """The folder whose files are the task's batches."""
        return self.resolve(self.settings.input.folder or f"data/inputs/{self.file.input_owner}")


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


def load_task_file(path: Path, project: Project) -> Task:
    """The task of any config file, inside the project or not.

    A config elsewhere belongs to the project around it, else to its own folder: its relative paths start there.
    Endpoints of both places are known to it, its own ones first.
    """
    config_path = resolve_path(path, home=Path.cwd())
    home = _find_home(config_path, project)
    file = read_task_file(config_path, project, home=home)
    return _build_task(file, file.document, project, home=home)


def load_endpoints(home: Path, project: Project) -> dict[str, EndpointSettings]:
    """The endpoints of a person's own that stand in this folder's file; `ConfigError` for its mistakes."""
    path = home / "configs" / "endpoints.yaml"
    if not path.is_file():
        return {}
    shown = project.locate(path)
    text = read_text_file(path, shown=shown, purpose="endpoints file")
    return parse_endpoints(text, file=shown).endpoints


def override_task(
    task: Task, project: Project, assignments: Sequence[Assignment], *, label: str = "--set"
) -> Task:
    """The task with these settings, for one run; `label` is what messages call the place they were set at.

    `ConfigError` for a path that is no setting and a value that does not fit.
    """
    if not assignments:
        return task
    override = build_override(TaskSettings, assignments, label=label)
    document = lay_over(TaskSettings, task.file.document, override)
    document = replace(document, file=task.file.document.file)
    changed = _build_task(task.file, document, project, home=task.home)
    open_paths = [gap.name for gap in list_gaps(task.file.document)]
    as_filed = parse_with_gaps(TaskSettings, task.file.document)
    changes = list_setting_changes(
        *(each.model_dump(mode="json", by_alias=True) for each in (as_filed, changed.settings)),
        gaps=[path for path in open_paths if path not in {gap.name for gap in changed.gaps}],
    )
    return replace(changed, changes=changes)


def check_no_gaps(task: Task, *blocks: str) -> None:
    """Make sure that every value which these blocks of settings need is there, or every one at all.

    `ConfigError` lists all that a person has still to give, with what the file says about each.
    """
    if not any(not blocks or gap.path[0] in blocks for gap in task.gaps):
        return
    lines = [f"{gap.name}: {gap.text} ({gap.place})" for gap in task.gaps]
    example = " ".join(f"--set {gap.name}=…" for gap in task.gaps)
    n_values = render_count(len(lines), "value")
    raise ConfigError(
        "\n  ".join([f"Task {task.name} lacks {n_values}; nothing was sent:", *lines]) + "\n ",
        remedy=f"Write `{example}`, or, of the outputs' settings, give them as `set` in the launchpad.",
    )


def _build_task(file: TaskFile, document: YamlDocument, project: Project, *, home: Path) -> Task:
    config_path = file.paths[0]
    shown = project.locate(config_path)
    settings = parse_with_gaps(TaskSettings, document, find_others=find_step_problems)
    own_endpoints = load_endpoints(project.root, project) | load_endpoints(home, project)
    finder = _StepFinder(
        settings=settings, own_endpoints=own_endpoints, document=document, home=home
    )
    embed = settings.embed
    check_compared_task(
        settings,
        document,
        name=config_path.stem,
        names=list_task_names(project) if settings.compare else (),
    )
    return Task(
        name=_check_name(config_path.stem, shown=shown),
        settings=settings,
        endpoint=find_endpoint(settings.llm, own_endpoints, document=document),
        steps=tuple(map(finder.build_step, settings.chain)),
        embed_endpoint=embed
        and find_endpoint(embed, own_endpoints, at=("embed",), document=document),
        config_path=config_path,
        config_sha256=file.sha256,
        home=home,
        file=file,
        gaps=list_gaps(document),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _StepFinder:
    """Finds what the steps of a task name."""

    settings: TaskSettings
    own_endpoints: dict[str, EndpointSettings]
    document: YamlDocument
    home: Path

    def build_step(self, step: ChainStep) -> TaskStep:
        place = self._find_place(step)
        judge = step.judge
        endpoint = self._find_endpoint(step.llm, at=(*place, "llm"))
        has_own = judge is not None and judge.llm is not None
        return TaskStep(
            settings=step,
            endpoint=endpoint,
            judge_endpoint=self._find_endpoint(step.judge_llm, at=(*place, "judge", "llm"))
            if has_own
            else endpoint,
            prompt_path=resolve_path(step.prompt, home=self.home),
            judge_prompt_path=None if judge is None else resolve_path(judge.prompt, home=self.home),
        )

    def _find_place(self, step: ChainStep) -> KeyPath:
        """Where the step stands in the file; one without a name is the file itself."""
        names = [each.name for each in self.settings.steps]
        return () if step.name is None else ("steps", names.index(step.name))

    def _find_endpoint(self, llm: LLMSettings, *, at: KeyPath) -> EndpointSettings:
        return find_endpoint(llm, self.own_endpoints, at=at, document=self.document)


def _find_home(config_path: Path, project: Project) -> Path:
    around = find_root_around(config_path.parent)
    own = project.root if project.contains(config_path) else config_path.parent
    return around or own


def _check_name(stem: str, *, shown: str) -> TaskName:
    if not re.fullmatch(r"[A-Za-z0-9_]+", stem):
        better = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_") or "task"
        what = f"{shown}: a task's name may hold only letters, digits and `_`."
        raise ConfigError(what, remedy=f"Rename the file to {better}.yaml.")
    return TaskName(stem)
