"""Where the files of an export lie, and what went into each."""

from dataclasses import dataclass
from pathlib import Path

from llm_assets.config.export import ExportFormat
from llm_assets.core.export import ExportTable
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.project import Project
from llm_assets.gateways.tables.writing import write_export
from llm_assets.gateways.tables.written_export import WrittenExport
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One file that was written."""

    path: Path
    written: WrittenExport


def find_export(task: Task, project: Project, batch: BatchKey, export_format: ExportFormat) -> Path:
    """Where an export lies: `data/exports/<task>/<batch>.<format>`."""
    return project.exports / task.name / f"{batch}.{export_format}"


def write_exports(
    task: Task, project: Project, batch: BatchKey, table: ExportTable
) -> tuple[ExportFile, ...]:
    """Write the table in every format of the config."""
    files: list[ExportFile] = []
    for export_format in task.settings.export.formats:
        path = find_export(task, project, batch, export_format)
        written = write_export(path, table, export_format=export_format)
        files.append(ExportFile(path=path, written=written))
    return tuple(files)
