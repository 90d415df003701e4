"""Where a batch's report lies, and what it points at."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_assets.core.assessment import Assessment
from llm_assets.core.batch_summary import build_batch_summary
from llm_assets.core.corrections import Corrections
from llm_assets.core.gate import GateDecisions
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_fates import NO_FATES, Fates, build_fates
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.report import ConfigSnapshot, Report, build_report
from llm_assets.core.report_items import ItemSources, list_call_keys
from llm_assets.core.report_markdown import render_report_markdown
from llm_assets.core.report_page import build_report_page
from llm_assets.core.setting_changes import SettingChange, apply_setting_changes
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.gateways.artifacts import is_local
from llm_assets.gateways.exports import find_export
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets.gateways.project import Project
from llm_assets.gateways.report_index import (
    find_reports_folder,
    render_summary,
)
from llm_assets.gateways.report_pages import INDEX_NAME, render_report_html
from llm_assets.gateways.review_stages import find_review_book
from llm_assets.gateways.tables.whole_file import write_whole_text
from llm_assets.gateways.tasks import Task

STAGES_BEFORE_STEPS = ("input_snapshot", "group_contexts", "work_items")
STAGES_AFTER_STEPS = ("llm_outputs", "export")
GATE_STAGES = ("corrections", "gate", "review_queue", "published")

WITHOUT_EFFECT = {"automation", "checks", "compare"}
"""Blocks that say when something runs and what is thought of it, not what a batch is; no report shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """A report that was written."""

    path: Path
    """The Markdown."""
    page: Path
    """The HTML."""
    text: str
    """Of the Markdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSources:
    """The stages that a report is drawn from."""

    snapshot: InputSnapshot
    contexts: GroupContexts
    items_meta: WorkItemsMeta
    outputs: LLMOutputs
    assessment: Assessment | None = None
    """None where the task does not say what it expects."""
    gate: GateDecisions | None = None
    """None where the task has no gate, or the batch did not get so far."""
    corrections: Corrections | None = None
    """The same."""

    @property
    def fates(self) -> Fates:
        """What became of every item at the gate."""
        if self.gate is None or self.corrections is None:
            return NO_FATES
        return build_fates(self.gate, self.corrections)


def find_report(task: Task, project: Project, batch: BatchKey) -> Path:
    """Where a report lies: `data/reports/<task>/<batch>.md`."""
    return find_reports_folder(task, project) / f"{batch}.md"


def find_page(task: Task, project: Project, batch: BatchKey) -> Path:
    """Where a report's page lies: `data/reports/<task>/<batch>.html`.

    A batch that is called as the page over all batches gets a name that no batch can have.
    """
    name = f"{batch}.html"
    if name.lower() == INDEX_NAME:
        name = f"{batch}+.html"
    return find_report(task, project, batch).with_name(name)


def build_task_report(
    task: Task, project: Project, sources: ReportSources, *, config: ConfigSnapshot
) -> Report:
    """What a person should know about a batch, with pointers to its files."""
    return build_report(
        config=config,
        snapshot=sources.snapshot,
        items_meta=sources.items_meta,
        contexts=sources.contexts,
        outputs=sources.outputs,
        settings=task.settings.report,
        artifacts=list_artifacts(task, project, config.batch),
        assessment=sources.assessment.meta if sources.assessment else None,
        gate=None if sources.gate is None else sources.gate.meta,
        fates=sources.fates,
    )


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
    exports["page with every item"] = find_page(task, project, batch)
    exports["all batches"] = folder / INDEX_NAME
    found = {name: _show_from(folder, str(path)) for name, path in exports.items()}
    optional: list[str] = [
        *(["assessment"] if task.settings.expected else []),
        *(GATE_STAGES if task.settings.gate else ()),
    ]
    if task.settings.gate is not None:
        found["review workbook"] = _show_from(folder, str(find_review_book(task, project, batch)))
    for stage in (*STAGES_BEFORE_STEPS, *task.step_names, *STAGES_AFTER_STEPS, *optional):
        artifact = project.artifacts / task.name / stage / f"{batch}.jsonl"
        found[stage] = _show_from(folder, artifact.path) if is_local(artifact) else str(artifact)
    return found


def list_telling_columns(meta: WorkItemsMeta) -> tuple[str, ...]:
    """The columns that the model saw, without the group's, which has a place of its own."""
    return tuple(name for name in meta.columns if name != meta.grouping_column)


def _show_from(folder: Path, path: str) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def write_report(
    task: Task,
    project: Project,
    report: Report,
    sources: ReportSources,
    *,
    partial: str | None = None,
) -> WrittenReport:
    """Write the report as Markdown and as a page, and its numbers beside them for the page over all batches.

    The prompts as sent and the words answered are read from the ledger, where it is at hand. `partial` says why
    the report is not whole. Each file appears whole or not at all.
    """
    batch = report.config.batch
    with open_ledger_view(project.ledger_url) as ledger:
        calls = ledger.sent_calls.load(list_call_keys(sources.outputs.records))
    items = ItemSources(
        snapshot=sources.snapshot,
        columns=list_telling_columns(sources.items_meta),
        records=sources.outputs.records,
        calls=calls,
        scores={score.work_id: score for score in sources.assessment.records}
        if sources.assessment
        else {},
        fates=sources.fates,
        steps=tuple(step.name for step in report.steps),
    )
    page = build_report_page(report, items, partial=partial)
    found = find_page(task, project, batch)
    summary = build_batch_summary(report, page, page_name=found.name)
    text = render_report_markdown(report, partial=partial)
    path = find_report(task, project, batch)
    write_whole_text(found, render_report_html(page))
    write_whole_text(path.with_suffix(".json"), render_summary(summary))
    write_whole_text(path, text)
    return WrittenReport(path=path, page=found, text=text)
