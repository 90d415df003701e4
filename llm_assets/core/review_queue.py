"""What waits for a person: accepted outputs below the gate, with all that one needs to decide on them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import JsonValue

from llm_assets.core.gate import GateDecision, GateDecisions, Route
from llm_assets.core.ids import BatchKey, GroupKey, RowId, Sha256, TaskName, WorkId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_identity import KeyKind, build_identities, decide_key_kind
from llm_assets.core.item_matching import match_items
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.shown_input import ROWS, build_input
from llm_assets.core.values import FROZEN_RECORD, CollectionMeta
from llm_assets.core.work_items import WorkItems

WAITING: tuple[Route, ...] = ("review_queue",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """One item to be decided on."""

    __pydantic_config__: ClassVar = FROZEN_RECORD

    work_id: WorkId
    row_ids: tuple[RowId, ...]
    group_key: GroupKey | None
    key: str
    """Under which a decision on it is kept."""
    input_sha256: Sha256
    """Of what the model saw of its own rows."""
    route: Route
    input: dict[str, JsonValue]
    output: dict[str, JsonValue] | None
    """None where there is no accepted one."""
    value: int | float | None
    """What the gate looked at."""
    why: str


class ReviewQueueMeta(CollectionMeta):
    """What the items have in common."""

    format_version: Literal[1] = 1
    task: TaskName
    batch: BatchKey
    key_kind: KeyKind
    input_columns: tuple[str, ...]
    """The columns that the model sees; `input_sha256` is of their cells."""
    shown_columns: tuple[str, ...]
    """The keys of every item's `input`, in order."""
    gate_field: str
    at_least: float
    n_items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQueue:
    """The items of a batch that wait, in item order."""

    meta: ReviewQueueMeta
    records: tuple[ReviewItem, ...]


def build_review_queue(
    snapshot: InputSnapshot,
    items: WorkItems,
    outputs: LLMOutputs,
    *,
    gate: GateDecisions,
    task: TaskName,
    batch: BatchKey,
    id_column: str | None,
    image_columns: tuple[str, ...] = (),
    routes: Collection[Route] = WAITING,
) -> ReviewQueue:
    """The items that went one of these ways; `StorageError` where the outputs are not those of these rows."""
    match_items(snapshot, outputs)
    mode = items.meta.mode
    kind = decide_key_kind(mode, id_column=id_column)
    input_columns = tuple(sorted({*items.meta.columns, *image_columns}))
    identities = build_identities(snapshot, items.records, columns=input_columns, kind=kind)
    rows = {row.row_id: row for row in snapshot.records}
    answers = {item.work_id: item.output for item in outputs.records}
    records = tuple(
        ReviewItem(
            work_id=each.work_id,
            row_ids=each.row_ids,
            group_key=each.group_key,
            key=identities[each.work_id].key,
            input_sha256=identities[each.work_id].input_sha256,
            route=each.route,
            input=build_input(each.row_ids, rows, mode),
            output=answers[each.work_id],
            value=each.value,
            why=each.why,
        )
        for each in _draw_waiting(gate, routes)
    )
    return ReviewQueue(
        meta=ReviewQueueMeta(
            task=task,
            batch=batch,
            key_kind=kind,
            input_columns=input_columns,
            shown_columns=(ROWS,) if kind == "group" else snapshot.meta.columns,
            gate_field=gate.meta.field,
            at_least=gate.meta.at_least,
            n_items=len(records),
        ),
        records=records,
    )


def _draw_waiting(gate: GateDecisions, routes: Collection[Route]) -> Iterator[GateDecision]:
    return (decision for decision in gate.records if decision.route in routes)
