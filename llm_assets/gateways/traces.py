"""Where an output comes from, read from what is stored; nothing is sent and no key is needed."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from llm_assets.core.call_log import group_by_key
from llm_assets.core.gate import GateDecisions
from llm_assets.core.group_contexts import GroupContext, GroupContexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputMeta, InputSnapshot
from llm_assets.core.item_fates import NO_FATES, ItemFate, build_fates
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs
from llm_assets.core.trace import (
    CallsOfItem,
    Trace,
    list_missing_calls,
    trace_calls,
    trace_rows,
)
from llm_assets.core.trace_choice import (
    build_ambiguous_error,
    find_line_item,
    find_named,
    find_row_item,
)
from llm_assets.core.work_items import WorkItem, WorkItems
from llm_assets.errors import InputError
from llm_assets.gateways.batches import hash_file, list_batches
from llm_assets.gateways.export_lines import find_export_lines
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets.gateways.project import Project
from llm_assets.gateways.stored_stages import (
    StoredStages,
    build_nothing_stored_error,
    find_stored_batch,
    list_stored_batches,
    load_corrections,
)
from llm_assets.gateways.tasks import Task

NO_OUTPUTS = "No run of this batch got to its end, so there is no output yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceChoice:
    """How a person names an item: by one of these."""

    work_id: str | None = None
    """Its beginning is enough where only one item begins so."""
    row: int | None = None
    """Counted from 1 below the header."""
    line: int | None = None
    """Of the source."""


@contextmanager
def open_traces(task: Task, project: Project) -> Generator["Traces"]:
    """Look at the ledger, to trace items of a task."""
    with open_ledger_view(project.ledger_url) as ledger:
        yield Traces(task=task, project=project, ledger=ledger)


@dataclass(frozen=True, kw_only=True)
class Traces:
    """Finds items of a task, and what is known of them."""

    task: Task
    project: Project
    ledger: Ledger

    def trace_item(self, choice: TraceChoice, *, batch: str | None) -> Trace:
        """All that is known of an item.

        `InputError` where nothing is stored of the batch, or where the name means no item or several.
        """
        stages, work, snapshot = self._find_work(choice, self._list_stages(batch))
        missing: list[str] = []
        outputs = _load_outputs(stages, missing)
        item = _find_output(outputs, work, missing)
        known = CallsOfItem(
            behind=group_by_key(
                self.ledger.call_log.load_calls(
                    attempt.call_key for attempt in (item.attempts if item else ())
                )
            ),
            made=group_by_key(self.ledger.call_log.load_item_calls(self.task.name, work.work_id)),
        )
        calls, others = trace_calls(item, known)
        missing += list_missing_calls(calls)
        missing += self._list_source_changes(snapshot.meta, stages.batch)
        return Trace(
            task=self.task.name,
            batch=stages.batch,
            source=snapshot.meta,
            rows=trace_rows(snapshot, work.row_ids),
            work=work,
            context=_find_context(stages, work),
            item=item,
            made_with=outputs.meta if outputs and item else None,
            calls=calls,
            other_calls=others,
            fate=_find_fate(stages, work, missing) if item else None,
            exports=find_export_lines(stages, work.work_id, missing) if item else (),
            missing=tuple(missing),
        )

    def _list_stages(self, batch: str | None) -> list[StoredStages]:
        keys = (batch,) if batch is not None else list_stored_batches(self.task, self.project)
        if not keys:
            raise build_nothing_stored_error(self.task)
        return [find_stored_batch(self.task, self.project, key) for key in keys]

    def _find_work(
        self, choice: TraceChoice, stages: Sequence[StoredStages]
    ) -> tuple[StoredStages, WorkItem, InputSnapshot]:
        if choice.work_id is not None:
            chosen, work = self._find_named_work(choice.work_id, stages)
            return chosen, work, chosen.load("input_snapshot", InputSnapshot)
        if len(stages) > 1:
            known = ", ".join(each.batch for each in stages)
            raise InputError(
                f"Task {self.task.name} has several batches, and a row is one of a batch.",
                remedy=f"Name it with --batch. Batches that have run: {known}.",
            )
        (only,) = stages
        works = only.load("work_items", WorkItems).records
        snapshot = only.load("input_snapshot", InputSnapshot)
        if choice.line is not None:
            found = find_line_item(works, snapshot, line=choice.line, batch=only.batch)
        else:
            found = find_row_item(works, snapshot, number=choice.row or 0, batch=only.batch)
        return only, found, snapshot

    def _find_named_work(
        self, beginning: str, stages: Sequence[StoredStages]
    ) -> tuple[StoredStages, WorkItem]:
        found = [
            (each, work)
            for each in stages
            for work in each.load("work_items", WorkItems).records
            if work.work_id.startswith(beginning)
        ]
        names = frozenset(find_named([work.work_id for _, work in found], beginning))
        meant = [(each, work) for each, work in found if work.work_id in names]
        if len(meant) > 1:
            raise build_ambiguous_error(
                beginning, [(each.batch, work.work_id) for each, work in meant]
            )
        if not meant:
            raise self._build_unknown_error(beginning, stages)
        return meant[0]

    def _build_unknown_error(self, beginning: str, stages: Sequence[StoredStages]) -> InputError:
        batches = ", ".join(each.batch for each in stages)
        earlier = self.ledger.call_log.list_work_ids(self.task.name, beginning)
        if earlier:
            what = (
                f"No stored batch holds the work item {earlier[0]!r} any more; the ledger has calls that were made "
                "for it, because its row was different or was taken out since."
            )
            return InputError(
                what, remedy="Put the earlier table back and run it: no call is repeated."
            )
        return InputError(
            f"No work item of task {self.task.name} begins with {beginning!r}.",
            remedy=f"Looked in: {batches}. `llm-assets show {self.task.name}` lists them; --row N names one by its row.",
        )

    def _list_source_changes(self, source: InputMeta, batch: BatchKey) -> list[str]:
        try:
            paths = [
                each.path for each in list_batches(self.task, self.project) if each.key == batch
            ]
        except InputError:
            paths = []
        if not paths:
            return [f"The input file {source.input_path} is not there any more."]
        if hash_file(paths[0]) != source.sha256:
            return [
                f"The input file {source.input_path} has changed since; its lines may have moved."
            ]
        return []


def _load_outputs(stages: StoredStages, missing: list[str]) -> LLMOutputs | None:
    if not stages.has("llm_outputs"):
        missing.append(NO_OUTPUTS)
        return None
    return stages.load("llm_outputs", LLMOutputs)


def _find_output(
    outputs: LLMOutputs | None, work: WorkItem, missing: list[str]
) -> ItemOutput | None:
    records = outputs.records if outputs else ()
    item = next((record for record in records if record.work_id == work.work_id), None)
    if outputs is not None and item is None:
        missing.append(
            "The stored outputs are those of earlier rows, and this item is not among them."
        )
    return item


def _find_fate(stages: StoredStages, work: WorkItem, missing: list[str]) -> ItemFate | None:
    """What the gate made of an item; None where the task has none."""
    corrections = load_corrections(stages)
    if stages.task.settings.gate is None:
        return None
    gate = stages.load("gate", GateDecisions) if stages.has("gate") else None
    fates = build_fates(gate, corrections) if gate and corrections else NO_FATES
    if work.work_id not in fates:
        missing.append("The gate has not sorted this item yet: no run of this batch got so far.")
        return None
    return fates[work.work_id]


def _find_context(stages: StoredStages, work: WorkItem) -> GroupContext | None:
    if work.group_context_id is None:
        return None
    contexts = stages.load("group_contexts", GroupContexts).records
    return next((each for each in contexts if each.group_context_id == work.group_context_id), None)
