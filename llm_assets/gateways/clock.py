"""What time it is, and waiting; a fake in tests, so that nothing there depends on either."""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time and chance."""

    def get_now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def get_monotonic_seconds(self) -> float:
        """Seconds since some fixed moment, for measuring how long things take."""
        ...

    def draw_jitter(self) -> float:
        """A number from 0 to 1 that spreads out what would otherwise come at once."""
        ...

    async def wait(self, wait_seconds: float) -> None:
        """Let others go on for this long."""
        ...


class SystemClock:
    """The machine's clock."""

    def get_now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def get_monotonic_seconds(self) -> float:
        """Seconds since the machine started."""
        return time.monotonic()

    def draw_jitter(self) -> float:
        """A number from 0 to 1."""
        return random.random()  # noqa: S311 -- spreads out retries, guards nothing

    async def wait(self, wait_seconds: float) -> None:
        """Let others go on for this long."""
        await asyncio.sleep(wait_seconds)
