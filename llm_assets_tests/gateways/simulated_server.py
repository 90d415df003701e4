"""Servers that refuse what is too much, in virtual time, and what comes of a run against them."""

import asyncio
from dataclasses import dataclass

from llm_assets.config.task import LimitSettings
from llm_assets.core.calls import CallRequest, Fault
from llm_assets.core.concurrency import build_concurrency
from llm_assets.core.rate_limit import RateLimit
from llm_assets.gateways.budget import NoBudget
from llm_assets.gateways.caller import Caller, Progress, Route
from llm_assets.gateways.endpoint_client import Reply
from llm_assets.gateways.gate import Gate
from llm_assets_tests.fakes import (
    CENT,
    IDENTITY,
    MemoryRecorder,
    OneRoute,
    build_call,
    build_completion,
)
from llm_assets_tests.virtual_time import VirtualClock, run_virtually

LATENCY_SECONDS = 0.25
NETWORK_SECONDS = 0.002
"""Each way, on the average."""


class SimulatedServer:
    """Takes so many calls at once, or so many a second; what is too much is refused at once."""

    def __init__(
        self,
        *,
        most_at_once: int = 10**6,
        most_per_second: int | None = None,
        retry_after_seconds: float | None,
    ) -> None:
        self.most_at_once = most_at_once
        self.n_answered = 0
        self.n_refused = 0
        self._most_per_second = most_per_second
        self._level = float(most_per_second or 0)
        self._filled_at = 0.0
        self._retry_after_seconds = retry_after_seconds
        self._n_at_once = 0
        self._clock = VirtualClock()

    @property
    def refused_share(self) -> float:
        return self.n_refused / (self.n_refused + self.n_answered)

    async def send(self, _request: CallRequest, /) -> Reply:
        await self._travel()
        is_taken = self._n_at_once < self.most_at_once and self._has_allowance()
        if is_taken:
            await self._answer()
        else:
            self.n_refused += 1
        await self._travel()
        result = build_completion() if is_taken else self._build_refusal()
        return Reply(result=result, request_id=None, announced=None)

    async def _answer(self) -> None:
        self._n_at_once += 1
        await asyncio.sleep(LATENCY_SECONDS * (0.9 + 0.2 * self._clock.draw_jitter()))
        self._n_at_once -= 1
        self.n_answered += 1

    async def _travel(self) -> None:
        await asyncio.sleep(2 * NETWORK_SECONDS * self._clock.draw_jitter())

    def _has_allowance(self) -> bool:
        """One second's worth of calls is in store at most."""
        if self._most_per_second is None:
            return True
        now = asyncio.get_running_loop().time()
        grown = self._level + (now - self._filled_at) * self._most_per_second
        self._level, self._filled_at = min(float(self._most_per_second), grown), now
        if self._level < 1:
            return False
        self._level -= 1
        return True

    def _build_refusal(self) -> Fault:
        return Fault(
            kind="rate_limited",
            message="Too much.",
            http_status=429,
            retry_after_seconds=self._retry_after_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From when on the server takes another number at once."""

    at_seconds: float
    most_at_once: int


def run_against(server: SimulatedServer, *, seconds: float, change: Change | None = None) -> None:
    """Send calls for so long, as many at once as the gate lets through, with no limit set by a person."""
    clock, progress = VirtualClock(), Progress(n_to_run=1)
    ceiling = 64

    async def run() -> None:
        gate = Gate(
            concurrency=build_concurrency(ceiling=ceiling, is_fixed=False),
            rate=RateLimit(requests_per_minute=None, tokens_per_minute=None),
            clock=clock,
            note_wait=progress.note_wait,
        )
        route = Route(name="busy", endpoint=server, compute_cost=lambda _: CENT, gate=gate)
        caller = Caller(
            identity=IDENTITY,
            routes=OneRoute(route),
            recorder=MemoryRecorder(),
            limits=LimitSettings(fault_retries=100),
            clock=clock,
            progress=progress,
            budget=NoBudget(),
        )

        async def work() -> None:
            while clock.get_monotonic_seconds() < seconds:
                await caller.find_answer(build_call())

        async with asyncio.TaskGroup() as workers:
            for _ in range(ceiling):
                workers.create_task(work())
            if change is not None:
                await clock.wait(change.at_seconds)
                server.most_at_once = change.most_at_once

    run_virtually(run())
