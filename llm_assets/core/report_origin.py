"""How a report says with which settings and at which commit its outputs were made."""

from collections.abc import Iterable

from pydantic import JsonValue

from llm_assets.core.fingerprint import render_json
from llm_assets.core.markdown import escape_markdown, render_code, render_table
from llm_assets.core.report import Report
from llm_assets.core.run_origin import render_git_state
from llm_assets.core.setting_changes import SettingChange


def list_origin_rows(report: Report) -> list[list[str]]:
    """Rows for the files that a variant extends, and for the commit."""
    rows = [["Extends", render_code(path), ""] for path in report.config.extends]
    git = report.outputs.git
    return rows if git is None else [*rows, ["Git commit", render_code(render_git_state(git)), ""]]


def render_changes(report: Report) -> Iterable[str]:
    """A table of what is not as in the task's file; nothing where all is."""
    changes = _join_changes(report)
    if not changes:
        return
    rows = [
        [render_code(change.path), _render(change.file_value), _render(change.run_value)]
        for change in changes
    ]
    yield "Set for this run, and not as in the file:"
    yield render_table(["Setting", "In the file", "In this run"], rows)


def _join_changes(report: Report) -> tuple[SettingChange, ...]:
    """Those of the outputs' run and those of the report's, which may be a later one."""
    by_path = {change.path: change for change in (*report.config.changes, *report.outputs.changes)}
    return tuple(by_path.values())


def _render(value: JsonValue) -> str:
    return "not set" if value is None else escape_markdown(render_json(value))
