"""An event loop whose time jumps to the next thing that is due, so that hours pass in milliseconds."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from llm_assets_tests.fakes import NOON

Result = TypeVar("Result")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waits for nobody outside: where everything is asleep for ever, it says so and does not hang."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.seconds


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits for somebody else")
        if timeout > 0:
            self._loop.seconds += timeout
        return []


class VirtualClock:
    """The clock of a virtual loop; its chance is the same every time."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)  # noqa: S311 -- the same chance every time, no secret

    def get_now(self) -> datetime:
        return NOON + timedelta(seconds=self.get_monotonic_seconds())

    def get_monotonic_seconds(self) -> float:
        return asyncio.get_running_loop().time()

    def draw_jitter(self) -> float:
        return self._random.random()

    async def wait(self, wait_seconds: float) -> None:
        await asyncio.sleep(wait_seconds)


def run_virtually(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, in as little real time as the work itself takes."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
