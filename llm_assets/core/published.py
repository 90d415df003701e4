"""What goes out to others: the outputs that passed the gate, and those that people approved or wrote."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import ConfigDict, JsonValue

from llm_assets.config.grouping import Mode
from llm_assets.core.corrections import Corrections
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.gate import GateDecisions, Origin
from llm_assets.core.ids import BatchKey, GroupKey, RowId, Sha256, WorkId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_matching import match_items
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.shown_input import build_input
from llm_assets.core.values import CollectionMeta


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRecord:
    """One item, good to be used."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    work_id: WorkId
    row_ids: tuple[RowId, ...]
    group_key: GroupKey | None
    batch: BatchKey
    input: dict[str, JsonValue]
    """The cells of its row; of a whole group, the cells of each of its rows, under `rows`."""
    output: dict[str, JsonValue]
    """What the model answered or a person wrote; of several steps, an object each, by their names."""
    origin: Origin
    """Who vouches for it: the model whose number reached the gate, or a person."""
    reviewer: str | None
    note: str | None
    """What the person wrote beside it; None where no person decided."""
    enriched_at: datetime | None
    """When the accepted answer was made, or the person's decision taken in, in UTC; the same on every later run."""
    content_sha256: Sha256
    """Of the input and the output: who keeps it knows which records have changed."""


class PublishedMeta(CollectionMeta):
    """What is published of a batch."""

    format_version: Literal[1] = 1
    batch: BatchKey
    n_records: int
    n_from_people: int
    """Records that a person approved or wrote."""
    is_rehearsal: bool
    """Whether the offline model answered, which is no LLM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The published records of a batch, in item order."""

    meta: PublishedMeta
    records: tuple[PublishedRecord, ...]


def build_published(
    snapshot: InputSnapshot,
    outputs: LLMOutputs,
    *,
    gate: GateDecisions,
    corrections: Corrections,
    mode: Mode,
    batch: BatchKey,
) -> Published:
    """The items that go the way `published`, with their rows.

    `StorageError` where the outputs are not those of these rows.
    """
    match_items(snapshot, outputs)
    records = tuple(
        _draw_records(snapshot, outputs, gate=gate, corrections=corrections, mode=mode, batch=batch)
    )
    return Published(
        meta=PublishedMeta(
            batch=batch,
            n_records=len(records),
            n_from_people=sum(record.origin == "person" for record in records),
            is_rehearsal=outputs.meta.is_rehearsal,
        ),
        records=records,
    )


def _draw_records(
    snapshot: InputSnapshot,
    outputs: LLMOutputs,
    *,
    gate: GateDecisions,
    corrections: Corrections,
    mode: Mode,
    batch: BatchKey,
) -> Iterator[PublishedRecord]:
    rows = {row.row_id: row for row in snapshot.records}
    items = {item.work_id: item for item in outputs.records}
    applied = corrections.find("applied")
    for decision in gate.records:
        item, correction = items[decision.work_id], applied.get(decision.work_id)
        output = item.output if correction is None else correction.output
        if decision.route != "published" or output is None:
            continue
        shown = build_input(item.row_ids, rows, mode)
        yield PublishedRecord(
            work_id=item.work_id,
            row_ids=item.row_ids,
            group_key=item.group_key,
            batch=batch,
            input=shown,
            output=output,
            origin=decision.origin,
            reviewer=decision.reviewer,
            note=None if correction is None else correction.note,
            enriched_at=item.accepted_at if correction is None else correction.decided_at,
            content_sha256=fingerprint([shown, output]),
        )


def fingerprint_published(published: Published) -> Sha256:
    """The hash of what counts downstream; an answer that was fetched again and is the same is no change."""
    return fingerprint(
        [
            [each.work_id, each.row_ids, each.content_sha256, each.origin, each.reviewer, each.note]
            for each in published.records
        ]
    )
