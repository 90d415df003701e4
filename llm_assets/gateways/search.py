"""Which published records are most like a few words."""

import asyncio
from typing import assert_never

from llm_assets.core.budget import OverBudget
from llm_assets.core.calls import Answer, Fault, Unsendable
from llm_assets.core.embedding_text import build_embedding_text
from llm_assets.core.ids import BatchKey
from llm_assets.core.vectors import parse_vector
from llm_assets.errors import (
    BudgetError,
    InputError,
    LLMAssetsError,
    ProviderError,
    StorageError,
)
from llm_assets.gateways.caller import CallResult
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.embedder import (
    EmbeddingPlace,
    FoundVector,
    TextOfRecord,
    find_embedding_place,
    open_embedder,
)
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task
from llm_assets.gateways.vector_store import Neighbour, open_vector_store

SEARCH = "search"
"""What the ledger calls the batch, the item and the run of what is asked for by a person and is about no batch."""


def search_records(
    task: Task, project: Project, words: str, *, limit: int, clock: Clock, observer: Observer
) -> tuple[Neighbour, ...]:
    """The published records nearest to the words, the nearest first; the same words are paid for once.

    `StorageError` where nothing is in the store, before anything is sent.
    """
    if not words.strip():
        raise InputError("There are no words to search for.", remedy="Name what to find.")
    place = find_embedding_place(task, project)
    store = open_vector_store(project.vectors / task.name, space=place.space)
    if store.count_records() == 0:
        raise StorageError(
            f"Task {task.name!r} has no vectors made by {place.embed.endpoint}/{place.embed.model} yet.",
            remedy=f"Run `llm-assets run {task.name}` first.",
        )
    vector = _find_vector(words.strip(), place, task, project, clock=clock, observer=observer)
    return store.find_nearest(vector, limit=limit)


def _find_vector(
    words: str,
    place: EmbeddingPlace,
    task: Task,
    project: Project,
    *,
    clock: Clock,
    observer: Observer,
) -> tuple[float, ...]:
    text = TextOfRecord(
        record_id=SEARCH, text=words, recipe_sha256=build_embedding_text(place.embed).sha256
    )

    async def embed() -> FoundVector:
        opened = open_embedder(
            place,
            task=task,
            batch=BatchKey(SEARCH),
            run_id=SEARCH,
            n_records=1,
            ledger=ledger,
            clock=clock,
            observer=observer,
        )
        async with opened as embedder:
            (found,) = await embedder.find_vectors([text])
            return found

    with open_ledger(project.ledger_url) as ledger:
        result = asyncio.run(embed()).result
    vector = parse_vector(result.text or "") if isinstance(result, Answer) else None
    if vector is None:
        raise _build_error(result)
    return vector


def _build_error(result: CallResult) -> LLMAssetsError:
    match result:
        case OverBudget(reason=reason) | Unsendable(reason=reason):
            return BudgetError(f"The words were not sent: {reason}")
        case Fault(kind=kind, message=message):
            remedy = "Try again, or run `llm-assets doctor`."
            return ProviderError(f"The words got no vector: {message}", remedy=remedy, kind=kind)
        case Answer():
            return StorageError("The ledger's answer for these words is no vector.")
        case _:
            assert_never(result)
