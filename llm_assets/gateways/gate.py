"""When a call may leave: as many places as the endpoint takes, and a turn under its limits per minute."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from llm_assets.core.concurrency import AdaptiveConcurrency
from llm_assets.core.rate_limit import AnnouncedLimits, RateLimit
from llm_assets.gateways.clock import Clock

WAIT_WORTH_SAYING_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What the gate has to know of a call when it is back."""

    left_at: float
    """By the clock's steady seconds."""
    n_tokens: int
    """What it was thought to take."""
    n_under_way: int
    """How many calls were under way then, this one included."""


class Gate:
    """The way to one endpoint. Who comes first leaves first."""

    def __init__(
        self,
        *,
        concurrency: AdaptiveConcurrency,
        rate: RateLimit,
        clock: Clock,
        note_wait: Callable[[str], None],
    ) -> None:
        self._concurrency = concurrency
        self._rate = rate
        self._clock = clock
        self._note_wait = note_wait
        self._n_taken = 0
        self._n_under_way = 0
        self._has_changed = asyncio.Event()
        """Set whenever a call has come back or there are more places."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn = asyncio.Lock()

    @property
    def is_token_limited(self) -> bool:
        """Whether a call's tokens have to be estimated before it leaves."""
        return self._rate.tokens_per_minute is not None

    @asynccontextmanager
    async def hold_place(self) -> AsyncGenerator[None]:
        """One of the endpoint's places, kept also while a call waits to be sent again."""
        await self._take_place()
        try:
            yield
        finally:
            self._n_taken -= 1
            self._let_in()

    @asynccontextmanager
    async def take_turn(self, *, n_tokens: int) -> AsyncGenerator[Departure]:
        """Begin when a call may leave; the block is its time under way.

        A place is not enough: where the places were cut, those who hold one have to wait for each other.
        """
        async with self._turn:
            await self._wait_until_free()
            now = self._clock.get_monotonic_seconds()
            self._rate.take(now, n_tokens=n_tokens)
            self._n_under_way += 1
        try:
            yield Departure(left_at=now, n_tokens=n_tokens, n_under_way=self._n_under_way)
        finally:
            self._n_under_way -= 1
            self._has_changed.set()

    def note_answer(self, departure: Departure, *, n_tokens_used: int) -> None:
        """An answer came: settle its tokens, and perhaps there is room for more."""
        n_tokens = departure.n_tokens
        self._rate.settle(n_tokens_estimated=n_tokens, n_tokens_used=n_tokens_used)
        now = self._clock.get_monotonic_seconds()
        self._concurrency.note_answer(now, sent_as=departure.n_under_way, n_taken=self._n_taken)
        self._let_in()

    def note_overload(self, departure: Departure, *, retry_after_seconds: float | None) -> None:
        """The endpoint refused a call as too much: fewer at once, and none at all while it says so."""
        now = self._clock.get_monotonic_seconds()
        self._concurrency.note_overload(
            now,
            sent_at=departure.left_at,
            sent_as=departure.n_under_way,
            n_under_way=self._n_under_way + 1,
            pause_seconds=retry_after_seconds or 0.0,
        )
        if retry_after_seconds is not None:
            self._rate.pause(now, retry_after_seconds)

    def learn(self, announced: AnnouncedLimits) -> None:
        """Keep to what the endpoint says of itself, where a person set nothing."""
        if self._rate.requests_per_minute is None:
            self._rate.requests_per_minute = announced.requests_per_minute
        if self._rate.tokens_per_minute is None:
            self._rate.tokens_per_minute = announced.tokens_per_minute

    async def _wait_until_free(self) -> None:
        """Wait for room and for the rate; a wait for the one may take away the other."""
        while True:
            if self._n_under_way >= self._concurrency.limit:
                self._has_changed.clear()
                await self._has_changed.wait()
            elif (wait_seconds := self._find_wait_seconds()) > 0:
                if wait_seconds >= WAIT_WORTH_SAYING_SECONDS:
                    self._note_wait(f"the endpoint's limit, resumes in {wait_seconds:.0f} s")
                await self._clock.wait(wait_seconds)
            else:
                return

    def _find_wait_seconds(self) -> float:
        return self._rate.find_wait_seconds(self._clock.get_monotonic_seconds())

    async def _take_place(self) -> None:
        if self._has_place():  # then nobody waits
            self._n_taken += 1
            return
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():  # it was let in at the same moment
                self._n_taken -= 1
                self._let_in()
            raise

    def _let_in(self) -> None:
        self._has_changed.set()
        while self._waiting and self._has_place():
            called = self._waiting.popleft()
            if not called.done():
                self._n_taken += 1
                called.set_result(None)

    def _has_place(self) -> bool:
        return self._n_taken < self._concurrency.limit
