"""How one call gets its answer: sent until it is answered or hopeless, every try on record before it counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Protocol, assert_never

from llm_assets.config.task import LimitSettings
from llm_assets.core.budget import OverBudget
from llm_assets.core.calls import (
    Answer,
    CallKind,
    CallOrigin,
    CallRequest,
    Fault,
    Purpose,
    Unsendable,
)
from llm_assets.core.completions import Completion
from llm_assets.core.ids import BatchKey, CallKey, TaskName
from llm_assets.core.message_tokens import count_message_tokens, estimate_usage
from llm_assets.core.number_words import render_count
from llm_assets.core.retry import GiveUp, Stop, Wait, decide_retry
from llm_assets.core.token_forecast import GUESSED_COMPLETION_TOKENS
from llm_assets.errors import ProviderError
from llm_assets.gateways.budget import Budget
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.endpoint_client import Reply
from llm_assets.gateways.gate import Departure, Gate
from llm_assets.gateways.ledger.records import CallRecord
from llm_assets.gateways.price_catalog import ComputeCost
from llm_assets.gateways.progress import Progress


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


NoteTry = Callable[[Answer | Fault], None]
CallResult = Answer | Fault | OverBudget | Unsendable
"""How a call ended; the last two were not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """Whose calls these are, for the ledger."""

    task: TaskName
    batch: BatchKey
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where calls of one kind go, and what they cost there."""

    name: str
    """The endpoint's name in the config."""
    endpoint: Endpoint
    compute_cost: ComputeCost
    gate: Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that is due."""

    key: CallKey
    request: CallRequest
    purpose: Purpose
    origin: CallOrigin
    shared_texts: tuple[str, ...]
    """Longer texts that other calls' messages hold too, so that the ledger stores them once."""

    @property
    def kind(self) -> CallKind:
        """Which way it goes."""
        return CallKind(self.origin.step, self.purpose)


class Caller:
    """Sends calls over one endpoint and puts everything that comes of them on record."""

    def __init__(
        self,
        *,
        identity: RunIdentity,
        routes: Mapping[CallKind, Route],
        recorder: Recorder,
        limits: LimitSettings,
        clock: Clock,
        progress: Progress,
        budget: Budget,
    ) -> None:
        self._identity = identity
        self._routes = routes
        self._recorder = recorder
        self._limits = limits
        self._clock = clock
        self._progress = progress
        self._budget = budget

    async def find_answer(self, call: Call, note_try: NoteTry = lambda _: None) -> CallResult:
        """Send a call until it is answered, its fault is not worth another try, or it cannot or must not be sent.

        The call keeps its place at the endpoint all the while; `note_try` is told what came of each sending.
        `ProviderError` where no other call of this run could fare better.
        """
        route = self._routes[call.kind]
        async with route.gate.hold_place():
            return await self._send_until_answered(call, route, note_try)

    async def _send_until_answered(self, call: Call, route: Route, note_try: NoteTry) -> CallResult:
        for n_sent in count(1):
            worst = await self._budget.reserve(call.request, route.compute_cost)
            if isinstance(worst, OverBudget):
                return worst
            result = await self._send_once(call, route)
            self._budget.settle(worst, result)
            if isinstance(result, Unsendable):
                return result
            note_try(result)
            if isinstance(result, Answer):
                return result
            decision = decide_retry(
                result,
                n_sent=n_sent,
                limits=self._limits,
                jitter=self._clock.draw_jitter(),
                has_answers=call.kind in self._progress.answered,
                n_given_up=self._progress.given_up[call.kind],
            )
            match decision:
                case Wait(wait_seconds=wait_seconds):
                    await self._wait(result, wait_seconds)
                case GiveUp():
                    self._progress.given_up[call.kind] += 1
                    return result
                case Stop(remedy=remedy):
                    raise self._build_stop(call, result, remedy)
                case _:
                    assert_never(decision)
        raise AssertionError("unreachable: the loop counts for ever")

    async def _send_once(self, call: Call, route: Route) -> Answer | Fault | Unsendable:
        """Send a call when it is its turn, and put what came of it on record; what never left is on none."""
        n_estimated = self._estimate_tokens(call) if route.gate.is_token_limited else 0
        progress = self._progress
        async with route.gate.take_turn(n_tokens=n_estimated) as departure:
            progress.count_sent(call.kind)
            progress.n_in_flight += 1
            try:
                reply = await route.endpoint.send(call.request)
            finally:
                progress.n_in_flight -= 1
        latency_seconds = self._clock.get_monotonic_seconds() - departure.left_at
        if isinstance(reply.result, Unsendable):
            progress.n_sent -= 1
            return reply.result
        result = self._read_reply(call, reply, reply.result, route, latency_seconds)
        # Told before the record is written: until then others leave into the same overload.
        if reply.announced is not None:
            route.gate.learn(reply.announced)
        _tell_gate(route.gate, departure, result)
        await self._recorder.put(
            CallRecord(
                key=call.key,
                request=call.request,
                purpose=call.purpose,
                shared_texts=call.shared_texts,
                task=self._identity.task,
                batch=self._identity.batch,
                run_id=self._identity.run_id,
                origin=call.origin,
                endpoint=route.name,
                recorded_at=self._clock.get_now(),
                latency_seconds=latency_seconds,
                result=result,
            )
        )
        progress.count(result, call.kind)
        return result

    def _estimate_tokens(self, call: Call) -> int:
        """The tokens a call is going to take, going by the answers so far."""
        progress = self._progress
        n_prompt = sum(map(count_message_tokens, call.request.messages))
        if progress.n_answers:
            return n_prompt + progress.completion_tokens // progress.n_answers
        return n_prompt + (call.request.max_output_tokens or GUESSED_COMPLETION_TOKENS)

    def _read_reply(
        self,
        call: Call,
        reply: Reply,
        completion: Completion | Fault,
        route: Route,
        latency_seconds: float,
    ) -> Answer | Fault:
        if isinstance(completion, Fault):
            return completion
        usage = completion.usage or estimate_usage(call.request, completion.text)
        created = completion.created_seconds
        return Answer(
            key=call.key,
            text=completion.text,
            refusal=completion.refusal,
            finish_reason=completion.finish_reason,
            model=completion.model,
            usage=usage,
            cost_usd=route.compute_cost(usage),
            answered_at=self._clock.get_now()
            if created is None
            else datetime.fromtimestamp(created, UTC),
            latency_seconds=latency_seconds,
            request_id=reply.request_id,
        )

    async def _wait(self, fault: Fault, wait_seconds: float) -> None:
        status = fault.http_status or fault.kind
        self._progress.note_wait(f"{status}, resumes in {wait_seconds:.0f} s")
        await self._clock.wait(wait_seconds)

    def _build_stop(self, call: Call, fault: Fault, remedy: str) -> ProviderError:
        name = self._routes[call.kind].name
        model = call.request.settings.model
        status = f" ({fault.http_status})" if fault.http_status else ""
        return ProviderError(
            f"Endpoint {name!r} cannot serve model {model!r}{status}: {fault.message} "
            f"Stopped after {render_count(self._progress.n_sent, 'call')}; every answer so far is kept.",
            remedy=remedy,
            kind=fault.kind,
            request_id=fault.request_id,
        )


def _tell_gate(gate: Gate, departure: Departure, result: Answer | Fault) -> None:
    if isinstance(result, Answer):
        n_used = result.usage.prompt_tokens + result.usage.completion_tokens
        gate.note_answer(departure, n_tokens_used=n_used)
    elif result.kind == "rate_limited":
        gate.note_overload(departure, retry_after_seconds=result.retry_after_seconds)
