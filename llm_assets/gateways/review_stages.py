"""How outputs are sorted by the gate and by what people decided, and how the workbook of what waits is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_assets.config.gate import GateSettings
from llm_assets.core.corrections import Correction, Corrections, match_corrections
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.gate import GateDecisions, build_gate
from llm_assets.core.gate_rule import build_gate_rule
from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.review_book import build_review_book
from llm_assets.core.review_queue import ReviewQueue, build_review_queue
from llm_assets.core.work_items import WorkItems
from llm_assets.gateways.gating import load_recorded_forms
from llm_assets.gateways.ledger.corrections import load_corrections
from llm_assets.gateways.project import Project
from llm_assets.gateways.review_workbook import write_review_workbook
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCorrections:
    """The decisions that concern a batch."""

    corrections: Corrections
    all_sha256: Sha256
    """Of all decisions of the task when they were read."""


def load_batch_corrections(
    task: Task, project: Project, batch: BatchKey, *, snapshot: InputSnapshot, items: WorkItems
) -> BatchCorrections:
    """What people decided on the rows of a batch, and how much of it holds."""
    made = load_corrections(project.ledger_url, task.name)
    matched = match_corrections(
        made,
        snapshot=snapshot,
        items=items,
        batch=batch,
        id_column=task.settings.input.id_column,
    )
    return BatchCorrections(corrections=matched, all_sha256=_fingerprint(made))


def hash_corrections(task: Task, project: Project) -> Sha256:
    """The hash of all that people decided on rows of a task; changed by every decision that is taken in."""
    return _fingerprint(load_corrections(project.ledger_url, task.name))


def _fingerprint(corrections: Sequence[Correction]) -> Sha256:
    return fingerprint([each.fingerprint_decision() for each in corrections])


def choose_threshold(settings: GateSettings, at_least: float | None) -> GateSettings:
    """The gate with the threshold of one run, where it has one."""
    return settings if at_least is None else GateSettings(field=settings.field, at_least=at_least)


def sort_outputs(
    task: Task,
    project: Project,
    *,
    source_sha256: Sha256,
    settings: GateSettings,
    items: WorkItems,
    outputs: LLMOutputs,
    corrections: Corrections,
) -> GateDecisions:
    """The way of every item, by the schema module of this hash."""
    rule = build_gate_rule(
        settings, load_recorded_forms(task, project, source_sha256=source_sha256)
    )
    return build_gate(outputs, items, corrections=corrections, rule=rule)


def make_review_queue(
    task: Task,
    project: Project,
    batch: BatchKey,
    *,
    source_sha256: Sha256,
    snapshot: InputSnapshot,
    items: WorkItems,
    outputs: LLMOutputs,
    gate: GateDecisions,
) -> ReviewQueue:
    """What waits for a person, put into a workbook as well; see `find_review_book`."""
    queue = build_review_queue(
        snapshot,
        items,
        outputs,
        gate=gate,
        task=task.name,
        batch=batch,
        id_column=task.settings.input.id_column,
        image_columns=task.settings.image_columns,
    )
    forms = load_recorded_forms(task, project, source_sha256=source_sha256)
    write_review_workbook(find_review_book(task, project, batch), build_review_book(queue, forms))
    return queue


def find_review_book(task: Task, project: Project, batch: BatchKey) -> Path:
    """Where the workbook of a batch lies: `data/review_queue/<task>/<batch>.xlsx`."""
    return project.review_queues / task.name / f"{batch}.xlsx"
