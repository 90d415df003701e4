"""How a batch's report is made again from what is stored, without a call."""

from dataclasses import dataclass
from datetime import UTC, datetime

from llm_assets.core.gate import GateDecisions, GateMeta
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_matching import is_match
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.report import ConfigSnapshot, Report
from llm_assets.core.work_items import WorkItems, WorkItemsMeta
from llm_assets.errors import StorageError
from llm_assets.gateways.artifacts import load_model
from llm_assets.gateways.assessments import assess_outputs
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets.gateways.partial_outputs import NOT_ANSWERED, replay_outputs
from llm_assets.gateways.project import Project
from llm_assets.gateways.reports import (
    ReportSources,
    WrittenReport,
    build_config_snapshot,
    build_task_report,
    write_report,
)
from llm_assets.gateways.stored_stages import StoredStages, find_stored_batch, load_corrections
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedReport:
    """A report that was made again."""

    batch: BatchKey
    written: WrittenReport
    partial: str | None
    """Why it is not whole; None where it is."""


def renew_report(task: Task, project: Project, batch: BatchKey) -> RenewedReport:
    """Write a batch's report anew; `InputError` where the batch never ran.

    Where calls are on record that came after the outputs, a run is going on or did not get to its end. Then the
    report shows what the ledger holds so far and says that it is partial.
    """
    stages = find_stored_batch(task, project, batch)
    snapshot = stages.load("input_snapshot", InputSnapshot)
    contexts = stages.load("group_contexts", GroupContexts)
    items_meta = stages.load_meta("work_items", WorkItemsMeta)
    with open_ledger_view(project.ledger_url) as ledger:
        outputs = _load_outputs(stages, snapshot, ledger)
        is_partial = outputs is None
        if outputs is None:
            works = stages.load("work_items", WorkItems)
            outputs = replay_outputs(task, project, items=works, contexts=contexts, ledger=ledger)
    expected = task.settings.expected
    corrections = load_corrections(stages)
    sources = ReportSources(
        snapshot=snapshot,
        contexts=contexts,
        items_meta=items_meta,
        outputs=outputs,
        assessment=assess_outputs(
            task, project, expected, snapshot=snapshot, outputs=outputs, corrections=corrections
        )
        if expected
        else None,
        gate=None if is_partial or corrections is None else _load_decisions(stages),
        corrections=corrections,
    )
    partial = _say_partial(outputs) if is_partial else None
    report = build_task_report(task, project, sources, config=_find_config(stages, outputs))
    written = write_report(task, project, report, sources, partial=partial)
    return RenewedReport(batch=batch, written=written, partial=partial)


def _load_outputs(
    stages: StoredStages, snapshot: InputSnapshot, ledger: Ledger
) -> LLMOutputs | None:
    """The stored outputs; None where there are none, or the rows or the calls are newer than they are."""
    if not stages.has("llm_outputs"):
        return None
    latest = ledger.sent_calls.find_latest_time(task=stages.task.name, batch=stages.batch)
    path = stages.find("llm_outputs").with_suffix(".meta.json")
    stored_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if latest is not None and datetime.fromisoformat(latest) > stored_at:
        return None
    outputs = stages.load("llm_outputs", LLMOutputs)
    return outputs if is_match(snapshot, outputs) else None


def load_gate(stages: StoredStages) -> GateMeta | None:
    """How the stored outputs were sorted; None where they were not."""
    has_gate = stages.task.settings.gate is not None and stages.has("gate")
    return stages.load_meta("gate", GateMeta) if has_gate else None


def _load_decisions(stages: StoredStages) -> GateDecisions | None:
    return stages.load("gate", GateDecisions) if stages.has("gate") else None


def _find_config(stages: StoredStages, outputs: LLMOutputs) -> ConfigSnapshot:
    """What was asked for when these outputs were made, where that is stored, else what is asked for now."""
    path = stages.find("report").with_suffix(".json")
    try:
        report = load_model(path, Report, shown=stages.show("report"))
    except StorageError:
        report = None
    if report is not None and report.outputs == outputs.meta:
        return report.config
    return build_config_snapshot(stages.task, stages.project, stages.batch)


def _say_partial(outputs: LLMOutputs) -> str:
    n_waiting = sum(record.reason == NOT_ANSWERED for record in outputs.records)
    return (
        f"A run is going on, or did not get to its end: this is what the ledger holds so far. "
        f"{n_waiting:,} of {len(outputs.records):,} items are not answered yet and are shown as skipped."
    )
