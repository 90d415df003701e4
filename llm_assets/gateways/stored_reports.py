"""How a batch's report is made again from what is stored, without a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel
from upath import UPath

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_matching import is_match
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.report import ConfigSnapshot, Report
from llm_assets.core.work_items import WorkItems, WorkItemsMeta
from llm_assets.errors import InputError, StorageError
from llm_assets.gateways.artifacts import Collection, load_meta, load_model, load_records
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
from llm_assets.gateways.tasks import Task

Records = TypeVar("Records", bound=Collection)
Meta = TypeVar("Meta", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedReport:
    """A report that was made again."""

    batch: BatchKey
    written: WrittenReport
    partial: str | None
    """Why it is not whole; None where it is."""


def list_stored_batches(task: Task, project: Project) -> tuple[BatchKey, ...]:
    """The batches of which rows are stored, sorted; they are what a report can be made of."""
    folder = project.artifacts / task.name / "work_items"
    found = (path.name for path in folder.glob("*.jsonl")) if folder.exists() else ()
    return tuple(BatchKey(name.removesuffix(".jsonl")) for name in sorted(found))


def renew_report(task: Task, project: Project, batch: BatchKey) -> RenewedReport:
    """Write a batch's report anew; `InputError` where the batch never ran.

    Where calls are on record that came after the outputs, a run is going on or did not get to its end. Then the
    report shows what the ledger holds so far and says that it is partial.
    """
    if batch not in list_stored_batches(task, project):
        raise _build_unknown_error(task, project, batch)
    shelf = _Shelf(task, project, batch)
    snapshot = shelf.load("input_snapshot", InputSnapshot)
    contexts = shelf.load("group_contexts", GroupContexts)
    items_meta = shelf.load_meta("work_items", WorkItemsMeta)
    with open_ledger_view(project.ledger_url) as ledger:
        outputs = shelf.load_outputs(snapshot, ledger)
        is_partial = outputs is None
        if outputs is None:
            works = shelf.load("work_items", WorkItems)
            outputs = replay_outputs(task, project, items=works, contexts=contexts, ledger=ledger)
    sources = ReportSources(
        snapshot=snapshot, contexts=contexts, items_meta=items_meta, outputs=outputs
    )
    partial = _say_partial(outputs) if is_partial else None
    report = build_task_report(task, project, sources, config=shelf.find_config(outputs))
    written = write_report(task, project, report, sources, partial=partial)
    return RenewedReport(batch=batch, written=written, partial=partial)


class _Shelf:
    """Where the artifacts of one batch lie."""

    def __init__(self, task: Task, project: Project, batch: BatchKey) -> None:
        self._task = task
        self._project = project
        self._batch = batch

    def load(self, stage: str, collection: type[Records]) -> Records:
        return load_records(self._find(stage), collection, shown=self._show(stage))

    def load_meta(self, stage: str, meta: type[Meta]) -> Meta:
        return load_meta(self._find(stage), meta, shown=self._show(stage))

    def load_outputs(self, snapshot: InputSnapshot, ledger: Ledger) -> LLMOutputs | None:
        """The stored outputs; None where there are none, or the rows or the calls are newer than they are."""
        path = self._find("llm_outputs").with_suffix(".meta.json")
        if not path.exists():
            return None
        latest = ledger.sent_calls.find_latest_time(task=self._task.name, batch=self._batch)
        stored_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if latest is not None and datetime.fromisoformat(latest) > stored_at:
            return None
        outputs = self.load("llm_outputs", LLMOutputs)
        return outputs if is_match(snapshot, outputs) else None

    def find_config(self, outputs: LLMOutputs) -> ConfigSnapshot:
        """What was asked for when these outputs were made, where that is stored, else what is asked for now."""
        path = self._project.artifacts / self._task.name / "report" / f"{self._batch}.json"
        try:
            report = load_model(path, Report, shown=self._show("report"))
        except StorageError:
            report = None
        if report is not None and report.outputs == outputs.meta:
            return report.config
        return build_config_snapshot(self._task, self._project, self._batch)

    def _find(self, stage: str) -> UPath:
        return self._project.artifacts / self._task.name / stage / f"{self._batch}.jsonl"

    def _show(self, stage: str) -> str:
        return f"{self._task.name}/{stage}/{self._batch}"


def _say_partial(outputs: LLMOutputs) -> str:
    n_waiting = sum(record.reason == NOT_ANSWERED for record in outputs.records)
    return (
        f"A run is going on, or did not get to its end: this is what the ledger holds so far. "
        f"{n_waiting:,} of {len(outputs.records):,} items are not answered yet and are shown as skipped."
    )


def _build_unknown_error(task: Task, project: Project, batch: BatchKey) -> InputError:
    known: Sequence[BatchKey] = list_stored_batches(task, project)
    return InputError(
        f"Of batch {batch!r} of task {task.name!r} nothing is stored that a report could be made of.",
        remedy=f"Batches that have run: {', '.join(known)}."
        if known
        else f"Run it first: `llm-assets run {task.name}`.",
    )
