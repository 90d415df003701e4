"""Where a batch's report lies, and what it points at."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_assets.core.ids import BatchKey
from llm_assets.core.report import ConfigSnapshot, Report
from llm_assets.core.report_markdown import render_report_markdown
from llm_assets.core.setting_changes import SettingChange, apply_setting_changes
from llm_assets.errors import StorageError
from llm_assets.gateways.artifacts import is_local
from llm_assets.gateways.exports import find_export
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task

COLLECTIONS = ("input_snapshot", "group_contexts", "work_items", "llm_outputs", "export")

WITHOUT_EFFECT = {"automation", "checks"}
"""Blocks that say when something runs and what is thought of it, not what a batch is; no report shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """A report that was written."""

    path: Path
    text: str


def find_report(task: Task, project: Project, batch: BatchKey) -> Path:
    """Where a report lies: `data/reports/<task>/<batch>.md`."""
    return project.reports / task.name / f"{batch}.md"


def build_config_snapshot(
    task: Task, project: Project, batch: BatchKey, *, of_outputs: Sequence[SettingChange] = ()
) -> ConfigSnapshot:
    """What was asked for, with every default filled in; `of_outputs` is what was set for the outputs' run."""
    settings = task.settings.model_dump(mode="json", by_alias=True, exclude=WITHOUT_EFFECT)
    return ConfigSnapshot(
        task=task.name,
        batch=batch,
        config_path=project.show(task.config_path),
        config_sha256=task.config_sha256,
        schema_path=project.show(task.schema_path),
        settings=apply_setting_changes(settings, of_outputs),
        extends=tuple(map(project.show, task.file.paths[1:])),
        changes=task.changes,
    )


def list_artifacts(task: Task, project: Project, batch: BatchKey) -> dict[str, str]:
    """What each file of the batch is, and its path as seen from the report."""
    folder = find_report(task, project, batch).parent
    exports = {
        f"export as {name}": find_export(task, project, batch, name)
        for name in task.settings.export.formats
    }
    found = {name: _show_from(folder, str(path)) for name, path in exports.items()}
    for stage in COLLECTIONS:
        artifact = project.artifacts / task.name / stage / f"{batch}.jsonl"
        found[stage] = _show_from(folder, artifact.path) if is_local(artifact) else str(artifact)
    return found


def _show_from(folder: Path, path: str) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def write_report(task: Task, project: Project, batch: BatchKey, report: Report) -> WrittenReport:
    """Write the report as Markdown; the file appears whole or not at all."""
    path = find_report(task, project, batch)
    text = render_report_markdown(report)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as exc:
        raise StorageError(
            f"The report {project.show(path)} cannot be written ({exc.strerror}).",
            remedy="Check the folder's permissions and the free space.",
        ) from exc
    return WrittenReport(path=path, text=text)
