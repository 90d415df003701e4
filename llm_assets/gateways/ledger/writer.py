"""How many small writes that must each be durable share one commit."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

MAX_GROUP = 512

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Record]):
    record: Record
    written: asyncio.Future[None]


class GroupCommitWriter(Generic[Record]):
    """One thread writes; whatever waits when it is free goes into its next commit.

    Leaving the context writes what is still queued, also when the run was interrupted, so every record that
    was put is kept.
    """

    def __init__(self, write: Callable[[Sequence[Record]], None]) -> None:
        self._write = write
        self._queue: SimpleQueue[_Entry[Record] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    async def put(self, record: Record) -> None:
        """Return once the record is durable; raises what kept it from being written."""
        written = asyncio.get_running_loop().create_future()
        self._queue.put(_Entry(record, written))
        await written

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._take_group()
            if not group:
                continue
            try:
                self._write([entry.record for entry in group])
            except Exception as exc:  # noqa: BLE001 -- the thread's edge: whoever waits must be told
                _settle(group, exc)
            else:
                _settle(group, None)

    def _take_group(self) -> tuple[list[_Entry[Record]], bool]:
        """What waits by now, at least one entry, and whether more may come."""
        group: list[_Entry[Record]] = []
        entry = self._queue.get()
        while entry is not None:
            group.append(entry)
            if len(group) == MAX_GROUP:
                return group, True
            try:
                entry = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False


def _settle(group: list[_Entry[Record]], error: Exception | None) -> None:
    """Wake up those who wait, all at once: one wake-up of the loop a group."""

    def wake_up() -> None:
        for entry in group:
            if entry.written.done():  # its waiter was cancelled
                continue
            if error is None:
                entry.written.set_result(None)
            else:
                entry.written.set_exception(error)

    loop = group[0].written.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake_up)
