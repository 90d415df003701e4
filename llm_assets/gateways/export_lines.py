"""Where an item stands in the files of an export, and whether it still does."""

from itertools import islice
from pathlib import Path
from typing import get_args

from llm_assets.config.export import ExportFormat
from llm_assets.core.export import ExportTable
from llm_assets.core.export_lines import TEXT_FORMATS, count_file_line, find_record, is_named
from llm_assets.core.ids import WorkId
from llm_assets.core.trace import ExportLine
from llm_assets.errors import StorageError
from llm_assets.gateways.exports import find_export
from llm_assets.gateways.stored_stages import StoredStages


def find_export_lines(
    stages: StoredStages, work_id: WorkId, missing: list[str]
) -> tuple[ExportLine, ...]:
    """A line for each file that the config asks for or that is there; what is not found is added to `missing`."""
    if not stages.has("export"):
        missing.append("The batch has no export yet.")
        return ()
    table = stages.load("export", ExportTable)
    place = find_record(table, work_id)
    if place is None:
        missing.append("The item is not in the export, which holds accepted outputs only.")
        return ()
    task, project = stages.task, stages.project
    paths = {
        each: find_export(task, project, stages.batch, each) for each in get_args(ExportFormat)
    }
    return tuple(
        _find_line(path, table, place, export_format, shown=project.locate(path))
        for export_format, path in paths.items()
        if export_format in task.settings.export.formats or path.exists()
    )


def _find_line(
    path: Path, table: ExportTable, place: int, export_format: ExportFormat, *, shown: str
) -> ExportLine:
    line: int | None = count_file_line(table, place, export_format)
    problem = None
    if not path.exists():
        line, problem = None, "the file is not there"
    elif not _is_there(path, table, place, export_format):
        line, problem = None, "the file has changed since it was written"
    return ExportLine(path=shown, format=export_format, line=line, problem=problem)


def _is_there(path: Path, table: ExportTable, place: int, export_format: ExportFormat) -> bool:
    """Whether a file of text has the item's name in these lines; what does not show it is taken at its word."""
    record = table.records[place]
    if export_format not in TEXT_FORMATS or not is_named(record):
        return True
    start, end = (count_file_line(table, each, export_format) for each in (place, place + 1))
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            return any(record.work_id in text for text in islice(file, start - 1, end - 1))
    except OSError as exc:
        raise StorageError(
            f"The export {path.name} cannot be read ({exc.strerror}).",
            remedy="Check the file's permissions.",
        ) from exc
