"""How the published records of a batch get into the vector store, and nothing that is there already is sent."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from llm_assets.core.budget import OverBudget
from llm_assets.core.calls import Answer, Fault, Unsendable
from llm_assets.core.embedding_summary import EmbeddingSummary, RecordProblem
from llm_assets.core.embedding_text import EmbeddableRecord, build_embedding_text
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.core.published import Published
from llm_assets.core.vectors import parse_vector
from llm_assets.errors import StorageError
from llm_assets.gateways.caller import CallResult
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.embedder import (
    EmbeddingPlace,
    FoundVector,
    TextOfRecord,
    find_embedding_place,
    open_embedder,
    require_embed,
)
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.ledger.reading import cut
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.progress import Progress
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task
from llm_assets.gateways.vector_store import VectorRecord, VectorStore, open_vector_store

RECORDS_PER_WRITE = 500
"""A vector of 1,536 numbers takes 50 kB while it is on its way."""


def embed_published(
    task: Task,
    project: Project,
    published: Published,
    *,
    batch: BatchKey,
    run_id: str,
    observer: Observer,
    clock: Clock,
) -> EmbeddingSummary:
    """Make the store hold exactly what is published of the batch; see `embed_batch`."""
    embed, _ = require_embed(task)
    text = build_embedding_text(embed)
    records = [
        text.build_record(record.work_id, input_values=record.input, output=record.output)
        for record in published.records
    ]
    return embed_batch(
        task, project, records, batch=batch, run_id=run_id, observer=observer, clock=clock
    )


def embed_batch(
    task: Task,
    project: Project,
    records: Sequence[EmbeddableRecord],
    *,
    batch: BatchKey,
    run_id: str,
    observer: Observer,
    clock: Clock,
) -> EmbeddingSummary:
    """Make the store hold exactly these records of the batch, each with the vector of its text.

    A vector comes from the ledger where one was ever made for the same text in the same way. Whatever is wrong with
    a record is told in the summary and keeps no other one from its vector. `ProviderError` where the endpoint cannot
    serve any further call; every vector until then is on record. `ConfigError` where the package for the store is
    missing, before anything is sent.
    """
    _check_ids(records, batch)
    place = find_embedding_place(task, project)
    store = open_vector_store(project.vectors / task.name, space=place.space)
    recipe_sha256 = build_embedding_text(place.embed).sha256
    filling = _Filling(store=store, batch=batch, stored=store.load_contents(batch))
    changed = filling.pass_over(records)

    async def embed() -> Progress:
        opened = open_embedder(
            place,
            task=task,
            batch=batch,
            run_id=run_id,
            n_records=len(changed),
            ledger=ledger,
            clock=clock,
            observer=observer,
        )
        async with opened as embedder:
            for chunk in cut(changed, RECORDS_PER_WRITE):
                texts = [_name_text(record, recipe_sha256) for record in chunk]
                filling.write(chunk, await embedder.find_vectors(texts))
                embedder.progress.n_done += len(chunk)
                observer.show_progress(embedder.progress)
        return embedder.progress

    with open_ledger(project.ledger_url) as ledger:
        progress = asyncio.run(embed()) if changed else Progress(n_to_run=0)
    filling.remove_gone()
    return _build_summary(place, records, filling, progress)


@dataclass(slots=True, kw_only=True)
class _Filling:
    """The store on its way to what the batch is now."""

    store: VectorStore
    batch: BatchKey
    stored: dict[str, Sha256]
    """What the store held of the batch before."""
    kept: dict[str, Sha256] = field(default_factory=dict[str, Sha256])
    """What it holds of the records now."""
    problems: dict[str, str] = field(default_factory=dict[str, str])
    n_embedded: int = 0
    n_written: int = 0
    n_removed: int = 0

    def pass_over(self, records: Sequence[EmbeddableRecord]) -> list[EmbeddableRecord]:
        """The records that the store does not hold as they are; those without a text are problems."""
        changed: list[EmbeddableRecord] = []
        for record in records:
            if record.problem is not None:
                self.problems[record.record_id] = record.problem
            elif self.stored.get(record.record_id) == record.content_sha256:
                self.kept[record.record_id] = record.content_sha256
            else:
                changed.append(record)
        return changed

    def write(self, records: Sequence[EmbeddableRecord], found: Sequence[FoundVector]) -> None:
        """Put the records that have a vector into the store."""
        written: list[VectorRecord] = []
        n_dimensions = self.store.find_dimensions()
        for record, each in zip(records, found, strict=True):
            vector = _read_vector(each.result, n_dimensions)
            if isinstance(vector, str):
                self.problems[record.record_id] = vector
                continue
            n_dimensions = len(vector)
            written.append(_build_stored(record, vector))
            self.kept[record.record_id] = record.content_sha256
            self.n_embedded += each.is_new
        self.store.write_records(self.batch, written)
        self.n_written += len(written)

    def remove_gone(self) -> None:
        """Take out what is not a record of the batch any more or has no vector any more."""
        gone = sorted(self.stored.keys() - self.kept.keys())
        self.n_removed = len(gone)
        self.store.remove_records(self.batch, gone)
        self.store.remove_other_spaces(self.batch)
        if self.n_written or gone:
            self.store.tidy()


def _check_ids(records: Sequence[EmbeddableRecord], batch: BatchKey) -> None:
    ids = Counter(record.record_id for record in records)
    twice = next((record_id for record_id, n in ids.items() if n > 1), None)
    if twice is not None:
        raise StorageError(
            f"Batch {batch!r} has two published records with the id {twice!r}; nothing was embedded.",
            remedy="Publish the batch again.",
        )


def _name_text(record: EmbeddableRecord, recipe_sha256: Sha256) -> TextOfRecord:
    return TextOfRecord(record_id=record.record_id, text=record.text, recipe_sha256=recipe_sha256)


def _build_stored(record: EmbeddableRecord, vector: tuple[float, ...]) -> VectorRecord:
    return VectorRecord(
        record_id=record.record_id,
        content_sha256=record.content_sha256,
        text=record.text,
        payload=record.payload,
        vector=vector,
    )


def _read_vector(result: CallResult, n_dimensions: int | None) -> tuple[float, ...] | str:
    """The vector that came, or why none did."""
    match result:
        case Answer(text=text):
            vector = parse_vector(text or "")
        case Fault(message=message):
            return message
        case OverBudget(reason=reason) | Unsendable(reason=reason):
            return reason
        case _:
            assert_never(result)
    if vector is None:
        return "The answer on record is no vector."
    if n_dimensions not in (None, len(vector)):
        return f"Its vector has {len(vector)} numbers, those in the store have {n_dimensions}."
    return vector


def _build_summary(
    place: EmbeddingPlace,
    records: Sequence[EmbeddableRecord],
    filling: _Filling,
    progress: Progress,
) -> EmbeddingSummary:
    problems = [record.record_id for record in records if record.record_id in filling.problems]
    return EmbeddingSummary(
        endpoint=place.embed.endpoint,
        model=place.embed.model,
        dimensions=filling.store.find_dimensions(),
        is_rehearsal=place.connection.endpoint.is_offline,
        n_records=len(records),
        n_embedded=filling.n_embedded,
        n_reused=len(filling.kept) - filling.n_embedded,
        n_written=filling.n_written,
        n_removed=filling.n_removed,
        problems=tuple(
            RecordProblem(record_id=record_id, reason=filling.problems[record_id])
            for record_id in problems
        ),
        prompt_tokens=progress.prompt_tokens,
        cost_usd=progress.cost_usd,
        cost_is_known=progress.cost_is_known,
        contents_sha256=fingerprint([place.space, filling.kept]),
    )
