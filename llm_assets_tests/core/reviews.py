"""A small batch that was answered, gated and put into a workbook, for tests of the gate and of reviews."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from llm_assets.config.gate import GateSettings
from llm_assets.config.grouping import ContextSettings, GroupingSettings, Mode
from llm_assets.core.corrections import (
    Correction,
    Corrections,
    CorrectionSource,
    Decision,
    match_corrections,
)
from llm_assets.core.gate import GateDecisions, build_gate
from llm_assets.core.gate_rule import GateRule, build_gate_rule
from llm_assets.core.group_contexts import build_group_contexts
from llm_assets.core.ids import BatchKey, GroupKey, RowId, Sha256, TaskName, WorkId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.item_identity import build_identities, decide_key_kind
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs, Outcome
from llm_assets.core.output_forms import OutputForm
from llm_assets.core.review_book import FilledBook, FilledRow, ReviewBook, build_review_book
from llm_assets.core.review_cells import Cell
from llm_assets.core.review_queue import ReviewQueue, build_review_queue
from llm_assets.core.values import Scalar
from llm_assets.core.work_items import WorkItem, WorkItems, build_work_items
from llm_assets_tests.core.labelled import build_outputs

TASK, MARCH = TaskName("triage"), BatchKey("march")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad, very"


class Place(BaseModel):
    model_config = ConfigDict(extra="forbid")

    city: str
    zip: str | None = None


class Ticket(BaseModel):
    """What a ticket says."""

    model_config = ConfigDict(extra="forbid")

    label: Literal["refund", "delivery", "other"] = Field(description="What it is about.")
    summary: str
    confidence: float | None = Field(ge=0, le=1)
    urgency: int = Field(ge=1, le=5)
    is_angry: bool
    mood: Mood | None = None
    place: Place
    tags: list[str] = []
    due: str | None = None


FORMS = (OutputForm(None, Ticket),)
RULE = GateRule(field="confidence", path=("confidence",), at_least=0.8)
GATE = GateSettings(field="confidence", at_least=0.8)


def build_ticket(**changes: Any) -> dict[str, JsonValue]:
    """A valid output."""
    return {
        "label": "refund",
        "summary": "Wants money back.",
        "confidence": 0.5,
        "urgency": 4,
        "is_angry": True,
        "mood": None,
        "place": {"city": "Ulm", "zip": "07"},
        "tags": ["a", "b"],
        "due": None,
        **changes,
    }


def build_rows(*rows: Mapping[str, Scalar], ids: Sequence[str] | None = None) -> InputSnapshot:
    """A batch of these rows; called r1, r2 and so on unless named."""
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    names = ids or [f"r{at}" for at in range(1, len(rows) + 1)]
    return InputSnapshot(
        meta=InputMeta(
            input_path="data/march.csv",
            sha256="0" * 64,
            format="csv",
            encoding="utf-8",
            n_rows=len(rows),
            n_cols=len(columns),
            columns=columns,
            n_nulls=0,
        ),
        records=tuple(
            InputRow(row_id=RowId(name), line=at, values=dict(row))
            for at, (name, row) in enumerate(zip(names, rows, strict=True), start=2)
        ),
    )


def build_items(
    snapshot: InputSnapshot,
    *,
    mode: Mode = "row",
    column: str | None = None,
    id_column: str | None = "id",
    **context: Any,
) -> WorkItems:
    """The work items of a batch, as their stage makes them."""
    grouping = GroupingSettings(mode=mode, column=column)
    settings = ContextSettings.model_validate(context)
    contexts = build_group_contexts(snapshot, grouping=grouping, context=settings)
    return build_work_items(
        snapshot, contexts=contexts, grouping=grouping, context=settings, id_column=id_column
    )


def build_end(
    item: WorkItem,
    output: Mapping[str, JsonValue] | None,
    *,
    outcome: Outcome = "accepted",
    accepted_at: datetime | None = NOON,
) -> ItemOutput:
    """What became of an item; without an output it failed."""
    is_accepted = output is not None
    return ItemOutput(
        work_id=item.work_id,
        row_ids=item.row_ids,
        group_key=item.group_key,
        group_context_id=item.group_context_id,
        outcome=outcome if is_accepted or outcome != "accepted" else "failed",
        output=None if output is None else dict(output),
        verdict=None,
        reason=None if is_accepted else "The server is down.",
        attempts=(),
        accepted_at=accepted_at if is_accepted else None,
    )


def build_ends(items: WorkItems, *outputs: Mapping[str, JsonValue] | None) -> LLMOutputs:
    """The outputs of all items, in their order."""
    pairs = zip(items.records, outputs, strict=True)
    return build_outputs(*(build_end(item, output) for item, output in pairs))


def build_plain_end(
    number: int, output: Mapping[str, JsonValue] | None, outcome: Outcome = "accepted"
) -> ItemOutput:
    """What became of an item that nothing else is known of."""
    return ItemOutput(
        work_id=WorkId(f"w{number}"),
        row_ids=(RowId(f"r{number}"),),
        group_key=GroupKey("g"),
        group_context_id=None,
        outcome=outcome,
        output=None if output is None else dict(output),
        verdict=None,
        reason="No." if outcome != "accepted" else None,
        attempts=(),
        accepted_at=None,
    )


def build_correction(
    decision: Decision = "approve",
    output: Mapping[str, JsonValue] | None = None,
    *,
    key: str = "r1",
    input_sha256: str = "1" * 64,
    **changes: Any,
) -> Correction:
    """One person's decision."""
    known: dict[str, Any] = {
        "task": TASK,
        "batch": MARCH,
        "key_kind": "name",
        "key": key,
        "input_columns": ("text",),
        "input_sha256": Sha256(input_sha256),
        "decision": decision,
        "output": None if decision == "reject" else dict(output or build_ticket()),
        "note": "",
        "reviewer": "Ana",
        "decided_at": LATER,
        "source": CorrectionSource(file="march.xlsx", sha256=Sha256("a" * 64), row=2),
    }
    return Correction(**(known | changes))


def correct(
    snapshot: InputSnapshot,
    items: WorkItems,
    number: int,
    decision: Decision = "approve",
    *,
    id_column: str | None = "id",
    columns: Iterable[str] = ("text",),
    **changes: Any,
) -> Correction:
    """A decision on an item of a batch, as a workbook would bring it."""
    kind = decide_key_kind(items.meta.mode, id_column=id_column)
    identities = build_identities(snapshot, items.records, columns=tuple(columns), kind=kind)
    identity = identities[items.records[number].work_id]
    return build_correction(
        decision,
        key=identity.key,
        input_sha256=identity.input_sha256,
        key_kind=kind,
        input_columns=tuple(columns),
        **changes,
    )


def match(
    corrections: Sequence[Correction],
    snapshot: InputSnapshot,
    items: WorkItems,
    *,
    batch: str = MARCH,
    id_column: str | None = "id",
) -> Corrections:
    """How decisions stand to a batch."""
    return match_corrections(
        corrections, snapshot=snapshot, items=items, batch=BatchKey(batch), id_column=id_column
    )


def decide(
    items: WorkItems, outputs: LLMOutputs, corrections: Corrections, rule: GateRule = RULE
) -> GateDecisions:
    """The way of every item."""
    return build_gate(outputs, items, corrections=corrections, rule=rule)


def build_queue(
    *outputs: Mapping[str, JsonValue] | None,
    texts: Sequence[str] | None = None,
    forms: Sequence[OutputForm] = FORMS,
    gate: GateSettings = GATE,
) -> ReviewQueue:
    """The queue of a batch of rows with an id and a text, failed items included."""
    shown = texts or [f"Text {number}" for number in range(1, len(outputs) + 1)]
    ids = [f"r{number}" for number in range(1, len(outputs) + 1)]
    snapshot = build_rows(
        *({"id": name, "text": text} for name, text in zip(ids, shown, strict=True)), ids=ids
    )
    items = build_items(snapshot)
    ends = build_ends(items, *outputs)
    rule = build_gate_rule(gate, forms)
    decisions = decide(items, ends, match([], snapshot, items), rule)
    return build_review_queue(
        snapshot,
        items,
        ends,
        gate=decisions,
        task=TASK,
        batch=MARCH,
        id_column="id",
        routes=("review_queue", "failed"),
    )


def build_book(*outputs: Mapping[str, JsonValue] | None, **changes: Any) -> ReviewBook:
    """The workbook of such a queue."""
    forms = changes.get("forms", FORMS)
    reviewer = changes.pop("reviewer", "")
    return build_review_book(build_queue(*outputs, **changes), forms, reviewer=reviewer)


def fill(
    book: ReviewBook, edits: Mapping[tuple[int, str], Cell] | None = None, **changes: Any
) -> FilledBook:
    """The workbook as it comes back after these cells were written: by row of the sheet and name of the column."""
    names = [column.name for column in book.meta.columns]
    rows = [list(cells) for cells in book.rows]
    for (row, name), value in (edits or {}).items():
        rows[row - 2][names.index(name)] = value
    known: dict[str, Any] = {
        "file": "march.xlsx",
        "sha256": Sha256("a" * 64),
        "sheet": "review",
        "meta": book.meta,
        "items": book.items,
        "header": tuple(names),
        "rows": tuple(
            FilledRow(number=number, cells=tuple(cells))
            for number, cells in enumerate(rows, start=2)
        ),
    }
    return FilledBook(**(known | changes))
