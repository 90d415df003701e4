"""Where the reports of a task lie, and how the page over all of them is kept up to date.

Beside each report lie its numbers as JSON. The page over all batches is made of these files alone, so a run need
not read the artifacts of other batches, and runs side by side have nothing to lose to each other.
"""

import json
from pathlib import Path

from pydantic import ValidationError

from llm_assets.core.batch_summary import BatchSummary
from llm_assets.core.report_index import build_report_index
from llm_assets.gateways.project import Project
from llm_assets.gateways.report_pages import INDEX_NAME, render_index_html
from llm_assets.gateways.tables.whole_file import write_whole_text
from llm_assets.gateways.tasks import Task


def find_reports_folder(task: Task, project: Project) -> Path:
    """The folder of a task's reports."""
    return project.reports / task.name


def write_index(task: Task, project: Project) -> Path:
    """Write the page over all batches that have a report."""
    path = find_reports_folder(task, project) / INDEX_NAME
    index = build_report_index(task.name, load_summaries(task, project))
    write_whole_text(path, render_index_html(index))
    return path


def load_summaries(task: Task, project: Project) -> tuple[BatchSummary, ...]:
    """The numbers of every batch; a file that holds something else is none of them and is passed over."""
    folder = find_reports_folder(task, project)
    found = (_read_summary(path) for path in sorted(folder.glob("*.json")))
    return tuple(each for each in found if each is not None and each.task == task.name)


def render_summary(summary: BatchSummary) -> str:
    """A batch's numbers as JSON."""
    return json.dumps(summary.model_dump(mode="json"), sort_keys=True, indent=2) + "\n"


def _read_summary(path: Path) -> BatchSummary | None:
    try:
        return BatchSummary.model_validate_json(path.read_bytes())
    except (ValidationError, OSError):
        return None
