"""How due items get their answers: many at once, each call on record before anything is made of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Protocol, assert_never

from llm_assets.config.task import LimitSettings
from llm_assets.core.calls import Answer, CallRequest, Fault, FaultKind, Usage
from llm_assets.core.completions import Completion
from llm_assets.core.ids import BatchKey, CallKey, TaskName, WorkId
from llm_assets.core.item_loop import (
    Ask,
    Done,
    Item,
    Step,
    advance,
    assign_output,
    build_fault_output,
)
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.retry import GiveUp, Stop, Wait, decide_retry
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.errors import ProviderError
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.endpoint_client import Reply
from llm_assets.gateways.ledger.records import CallRecord
from llm_assets.gateways.price_catalog import ComputeCost

Due = tuple[int, ReplayedItem]
"""An item that needs a call, with its place among the batch's items."""


class Endpoint(Protocol):
    """What the dispatcher sends calls to."""

    async def send(self, request: CallRequest, /) -> Reply:
        """Send a call once."""
        ...


class Recorder(Protocol):
    """Where the dispatcher puts calls on record."""

    async def put(self, record: CallRecord, /) -> None:
        """Return once the record is durable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """Whose calls these are, for the ledger."""

    task: TaskName
    batch: BatchKey
    run_id: str
    endpoint: str


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a run is. Changes while it goes on; whoever shows it reads it now and then."""

    n_to_run: int
    n_done: int = 0
    n_in_flight: int = 0
    n_sent: int = 0
    n_answers: int = 0
    n_given_up: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    cost_is_known: bool = True
    waiting_for: str | None = None
    """What holds calls back, such as a rate limit."""
    faults: Counter[FaultKind] = field(default_factory=Counter)
    latencies_seconds: list[float] = field(default_factory=list)


class Dispatcher:
    """Drives due items to their ends over one endpoint."""

    def __init__(
        self,
        step: Step,
        *,
        identity: RunIdentity,
        endpoint: Endpoint,
        recorder: Recorder,
        compute_cost: ComputeCost,
        limits: LimitSettings,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._step = step
        self._identity = identity
        self._endpoint = endpoint
        self._recorder = recorder
        self._compute_cost = compute_cost
        self._limits = limits
        self._clock = clock
        self._progress = progress

    async def finish_items(
        self, due: Sequence[Due], *, max_in_flight: int
    ) -> dict[int, ItemOutput]:
        """Ask for every due item until it is at its end; the outputs by the items' places.

        `ProviderError` stops it where no further call could fare better; what was answered is on record.
        """
        outputs: dict[int, ItemOutput] = {}
        queue = iter(_group_identical(due))
        n_workers = min(max_in_flight, len(due))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(n_workers):
                    workers.create_task(self._work(queue, outputs))
        except* ProviderError as group:
            raise group.exceptions[0] from None
        return outputs

    async def _work(self, queue: Iterator[list[Due]], outputs: dict[int, ItemOutput]) -> None:
        for identical in queue:
            _, leader = identical[0]
            output = await self._finish(leader)
            for place, state in identical:
                outputs[place] = assign_output(output, state.item.work)
                self._progress.n_done += 1

    async def _finish(self, state: ReplayedItem) -> ItemOutput:
        """Ask until the item is at its end or a call brings no answer."""
        answers = state.answers
        while True:
            decision = advance(self._step, state.item, answers, n_known=len(state.answers))
            if isinstance(decision, Done):
                return decision.output
            key = decision.request.build_key()
            result = await self._send_patiently(key, decision, state.item)
            if isinstance(result, Fault):
                return build_fault_output(self._step, state.item, answers, key=key, fault=result)
            answers = (*answers, result)

    async def _send_patiently(self, key: CallKey, ask: Ask, item: Item) -> Answer | Fault:
        """Send a call until it is answered or the fault is not worth another try."""
        for n_sent in count(1):
            result = await self._send_once(key, ask, item)
            if isinstance(result, Answer):
                return result
            decision = decide_retry(
                result,
                n_sent=n_sent,
                limits=self._limits,
                jitter=self._clock.draw_jitter(),
                has_answers=self._progress.n_answers > 0,
                n_given_up=self._progress.n_given_up,
            )
            match decision:
                case Wait(wait_seconds=wait_seconds):
                    await self._wait(result, wait_seconds)
                case GiveUp():
                    self._progress.n_given_up += 1
                    return result
                case Stop(remedy=remedy):
                    raise self._build_stop(result, remedy)
                case _:
                    assert_never(decision)
        raise AssertionError("unreachable: the loop counts for ever")

    async def _send_once(self, key: CallKey, ask: Ask, item: Item) -> Answer | Fault:
        """Send a call and put what came of it on record."""
        progress = self._progress
        progress.n_sent += 1
        progress.n_in_flight += 1
        started_seconds = self._clock.get_monotonic_seconds()
        try:
            reply = await self._endpoint.send(ask.request)
        finally:
            progress.n_in_flight -= 1
        latency_seconds = self._clock.get_monotonic_seconds() - started_seconds
        result = self._read_reply(key, ask, reply, latency_seconds)
        await self._recorder.put(
            CallRecord(
                key=key,
                request=ask.request,
                purpose=ask.purpose,
                shared_texts=self._list_shared_texts(item),
                task=self._identity.task,
                batch=self._identity.batch,
                run_id=self._identity.run_id,
                work_id=WorkId(item.work.work_id),
                endpoint=self._identity.endpoint,
                recorded_at=self._clock.get_now(),
                latency_seconds=latency_seconds,
                result=result,
            )
        )
        self._count(result)
        return result

    def _read_reply(
        self, key: CallKey, ask: Ask, reply: Reply, latency_seconds: float
    ) -> Answer | Fault:
        completion = reply.result
        if isinstance(completion, Fault):
            return completion
        usage = completion.usage or _estimate_usage(ask, completion)
        created = completion.created_seconds
        return Answer(
            key=key,
            text=completion.text,
            refusal=completion.refusal,
            finish_reason=completion.finish_reason,
            model=completion.model,
            usage=usage,
            cost_usd=self._compute_cost(usage),
            answered_at=self._clock.get_now()
            if created is None
            else datetime.fromtimestamp(created, UTC),
            latency_seconds=latency_seconds,
            request_id=reply.request_id,
        )

    def _list_shared_texts(self, item: Item) -> tuple[str, ...]:
        schema_text = str(self._step.prompt.static_values.get("llm_schema", ""))
        return tuple(text for text in (schema_text, item.group_context) if text)

    def _count(self, result: Answer | Fault) -> None:
        progress = self._progress
        if isinstance(result, Fault):
            progress.faults[result.kind] += 1
            return
        progress.waiting_for = None
        progress.n_answers += 1
        progress.latencies_seconds.append(result.latency_seconds)
        progress.prompt_tokens += result.usage.prompt_tokens
        progress.completion_tokens += result.usage.completion_tokens
        progress.cost_usd += result.cost_usd or Decimal(0)
        progress.cost_is_known &= result.cost_usd is not None

    async def _wait(self, fault: Fault, wait_seconds: float) -> None:
        status = fault.http_status or fault.kind
        self._progress.waiting_for = f"{status}, resumes in {wait_seconds:.0f} s"
        await self._clock.wait(wait_seconds)

    def _build_stop(self, fault: Fault, remedy: str) -> ProviderError:
        identity = self._identity
        model = self._step.settings.model
        status = f" ({fault.http_status})" if fault.http_status else ""
        return ProviderError(
            f"Endpoint {identity.endpoint!r} cannot serve model {model!r}{status}: {fault.message} "
            f"Stopped after {self._progress.n_sent} of the calls; every answer so far is kept.",
            remedy=remedy,
            kind=fault.kind,
            request_id=fault.request_id,
        )


def _group_identical(due: Sequence[Due]) -> list[list[Due]]:
    """Items whose next calls are the same call: one of them asks, all of them get the answers."""
    groups: dict[CallKey | None, list[Due]] = defaultdict(list)
    for place, state in due:
        groups[state.next_key].append((place, state))
    return list(groups.values())


def _estimate_usage(ask: Ask, completion: Completion) -> Usage:
    """Our own count, marked as such, where the server gave none."""
    return Usage(
        prompt_tokens=sum(
            count_tokens_approximately(message.content) for message in ask.request.messages
        ),
        completion_tokens=count_tokens_approximately(completion.text or ""),
        is_approximate=True,
    )
