"""Where the comparison of a batch lies as files for people."""

from dataclasses import dataclass
from pathlib import Path

from llm_assets.core.comparison import Comparison
from llm_assets.core.comparison_markdown import render_comparison_markdown
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.comparison_pages import render_comparison_html
from llm_assets.gateways.project import Project
from llm_assets.gateways.tables.whole_file import write_whole_text
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenComparison:
    """A comparison that was written."""

    path: Path
    """The Markdown."""
    page: Path
    """The HTML."""
    text: str
    """Of the Markdown."""


def write_comparison(
    task: Task, project: Project, batch: BatchKey, comparison: Comparison
) -> WrittenComparison:
    """Write the page and the Markdown of a batch, each whole or not at all."""
    page = project.comparisons / task.name / f"{batch}.html"
    path = page.with_suffix(".md")
    text = render_comparison_markdown(comparison)
    write_whole_text(page, render_comparison_html(comparison))
    write_whole_text(path, text)
    return WrittenComparison(path=path, page=page, text=text)
