"""How texts get their vectors: from the ledger where they are on record, else from the endpoint."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from llm_assets.config.embed import EmbedSettings
from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.limits import LimitSettings
from llm_assets.core.calls import CallKind, CallOrigin, CallRequest, CallSettings
from llm_assets.core.embedding_calls import build_embedding_request, build_embedding_settings
from llm_assets.core.ids import BatchKey, CallKey, RowId, Sha256, WorkId
from llm_assets.errors import ConfigError, LLMAssetsError
from llm_assets.gateways.budget import check_budget, open_budget
from llm_assets.gateways.caller import Call, Caller, CallResult, Route, RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.connections import Connection, build_connection
from llm_assets.gateways.endpoint_client import EndpointClient, Reply, open_endpoint_client
from llm_assets.gateways.gates import Gates
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.progress import Progress
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task

EMBED = CallKind(None, "embed")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingPlace:
    """Where the vectors of a task are made, and how they are asked for."""

    embed: EmbedSettings
    connection: Connection
    settings: CallSettings
    limits: LimitSettings

    @property
    def space(self) -> Sha256:
        """Vectors can be compared only where this is the same."""
        return self.settings.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOfRecord:
    """A text whose vector is wanted."""

    record_id: str
    """What the ledger says that the call was made for."""
    text: str
    recipe_sha256: Sha256
    """Of what the config says of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVector:
    """What came of a text."""

    result: CallResult
    """The text of the answer is the vector."""
    is_new: bool
    """Whether it was sent for this very text, and not found on record or sent for an equal one."""


def find_embedding_place(task: Task, project: Project) -> EmbeddingPlace:
    """Read the task's `embed` block; `ConfigError` where there is none, or a key, an address or a price is missing."""
    embed, endpoint = require_embed(task)
    connection = build_connection(embed, endpoint, project=project)
    check_budget(
        task.settings.budget,
        compute_cost=connection.compute_cost,
        has_output_cap=True,  # a vector has no tokens
        price_setting="embed.price",
    )
    return EmbeddingPlace(
        embed=embed,
        connection=connection,
        settings=build_embedding_settings(embed, base_url=connection.base_url),
        limits=embed.limits or task.settings.limits,
    )


def require_embed(task: Task) -> tuple[EmbedSettings, EndpointSettings]:
    """The task's `embed` block and its endpoint; `ConfigError` where there is none."""
    embed, endpoint = task.settings.embed, task.embed_endpoint
    if embed is None or endpoint is None:
        raise ConfigError(
            f"Task {task.name!r} says nothing of vectors.",
            remedy="Add a block `embed` to its config, such as `embed: {endpoint: offline}`.",
        )
    return embed, endpoint


class Embedder:
    """Finds the vectors of texts. Texts that are equal are sent once."""

    def __init__(
        self,
        place: EmbeddingPlace,
        *,
        caller: Caller,
        progress: Progress,
        ledger: Ledger,
        max_in_flight: int,
    ) -> None:
        self._place = place
        self._caller = caller
        self._progress = progress
        self._ledger = ledger
        self._max_in_flight = max_in_flight

    @property
    def progress(self) -> Progress:
        """How far it is, and what was sent."""
        return self._progress

    async def find_vectors(self, texts: Sequence[TextOfRecord]) -> list[FoundVector]:
        """What came of each text, in order.

        `ProviderError` where no other call could fare better; what was answered until then is on record.
        """
        calls = [self._build_call(each) for each in texts]
        results: dict[CallKey, CallResult] = {}
        results.update(self._ledger.find_answers({call.key: None for call in calls}))
        missing = {call.key: call for call in calls if call.key not in results}
        await self._send(missing, results)
        found: list[FoundVector] = []
        for call in calls:
            is_new = missing.pop(call.key, None) is not None
            found.append(FoundVector(result=results[call.key], is_new=is_new))
        return found

    async def _send(
        self, missing: Mapping[CallKey, Call], results: dict[CallKey, CallResult]
    ) -> None:
        waiting = iter(missing.values())
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(self._max_in_flight, len(missing))):
                    workers.create_task(self._work(waiting, results))
        except* LLMAssetsError as group:
            raise group.exceptions[0] from None

    async def _work(self, waiting: Iterable[Call], results: dict[CallKey, CallResult]) -> None:
        for call in waiting:
            results[call.key] = await self._caller.find_answer(call)

    def _build_call(self, text: TextOfRecord) -> Call:
        settings = self._place.settings
        request = build_embedding_request(settings, text.text)
        origin = CallOrigin(
            work_id=WorkId(text.record_id),
            row_id=RowId(text.record_id),
            group_context_id=None,
            prompt_sha256=text.recipe_sha256,
            schema_sha256=text.recipe_sha256,
            settings_sha256=settings.fingerprint,
        )
        return Call(
            key=request.build_key(),
            request=request,
            purpose="embed",
            origin=origin,
            shared_texts=(),
        )


@asynccontextmanager
async def open_embedder(
    place: EmbeddingPlace,
    *,
    task: Task,
    batch: BatchKey,
    run_id: str,
    n_records: int,
    ledger: Ledger,
    clock: Clock,
    observer: Observer,
) -> AsyncGenerator[Embedder]:
    """An embedder with the ledger, the limits and the budget of its task."""
    limits, connection = place.limits, place.connection
    progress = Progress(n_to_run=n_records)
    gates = Gates(limits=limits, clock=clock, note_wait=progress.note_wait)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            open_endpoint_client(connection, timeout_seconds=limits.timeout_seconds)
        )
        budget = open_budget(
            task.settings.budget,
            ledger=ledger,
            # The calls for the batch's outputs have a reservation of the run's own name.
            run_id=f"{run_id}/embed",
            clock=clock,
            warn=observer.show_warning,
            note_wait=progress.note_wait,
        )
        recorder = stack.enter_context(ledger.open_writer())
        route = Route(
            name=connection.name,
            endpoint=_EmbeddingEndpoint(client),
            compute_cost=connection.compute_cost,
            gate=gates.find(connection),
        )
        caller = Caller(
            identity=RunIdentity(task=task.name, batch=batch, run_id=run_id),
            routes={EMBED: route},
            recorder=recorder,
            limits=limits,
            clock=clock,
            progress=progress,
            budget=stack.enter_context(budget),
        )
        yield Embedder(
            place,
            caller=caller,
            progress=progress,
            ledger=ledger,
            max_in_flight=limits.max_in_flight or connection.endpoint.max_in_flight,
        )


@dataclass(frozen=True, slots=True)
class _EmbeddingEndpoint:
    """The endpoint as one that answers with vectors."""

    client: EndpointClient

    async def send(self, request: CallRequest, /) -> Reply:
        return await self.client.embed(request)
