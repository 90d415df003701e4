import asyncio
import threading
from collections.abc import Sequence

import pytest

from llm_assets.errors import StorageError
from llm_assets.gateways.ledger.writer import MAX_GROUP, GroupCommitWriter


class SlowStore:
    """Writes groups, but not before it is let."""

    def __init__(self):
        self.groups: list[list[int]] = []
        self.may_write = threading.Event()
        self.is_writing = threading.Event()

    def write(self, records: Sequence[int]) -> None:
        self.is_writing.set()
        assert self.may_write.wait(10)
        self.groups.append(list(records))

    @property
    def records(self) -> list[int]:
        return [record for group in self.groups for record in group]


def test_put_returns_only_after_the_write():
    """Who waits for `put` goes on once the record is written, and not a moment earlier."""
    store = SlowStore()

    async def run():
        with GroupCommitWriter(store.write) as writer:
            waiting = asyncio.ensure_future(writer.put(1))
            await asyncio.to_thread(store.is_writing.wait, 10)
            assert not waiting.done()
            store.may_write.set()
            await waiting
            assert store.records == [1]

    asyncio.run(run())


def test_what_waits_shares_a_commit():
    """Records that come while a write is under way are written together, in their order, up to the cap."""
    store = SlowStore()

    async def run():
        with GroupCommitWriter(store.write) as writer:
            first = asyncio.ensure_future(writer.put(0))
            await asyncio.to_thread(store.is_writing.wait, 10)
            others = [asyncio.ensure_future(writer.put(n)) for n in range(1, MAX_GROUP + 3)]
            await asyncio.sleep(0)
            store.may_write.set()
            await asyncio.gather(first, *others)

    asyncio.run(run())
    assert [len(group) for group in store.groups] == [1, MAX_GROUP, 2]
    assert store.records == list(range(MAX_GROUP + 3))


def test_a_failed_write_is_told_to_those_it_concerns():
    """Everyone in the failed group gets the error; the next records are written."""
    written: list[int] = []

    def write(records: Sequence[int]) -> None:
        if 1 in records:
            raise StorageError("full")
        written.extend(records)

    async def run():
        with GroupCommitWriter(write) as writer:
            with pytest.raises(StorageError, match="full"):
                await writer.put(1)
            await writer.put(2)

    asyncio.run(run())
    assert written == [2]


def test_an_interrupted_waiter_loses_no_record():
    """A record whose waiter is cancelled, like all others on an interrupt, is written before the writer closes."""
    store = SlowStore()

    async def run():
        with GroupCommitWriter(store.write) as writer:
            waiters = [asyncio.ensure_future(writer.put(n)) for n in range(20)]
            await asyncio.to_thread(store.is_writing.wait, 10)
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)
            assert all(waiter.cancelled() for waiter in waiters)
            store.may_write.set()

    asyncio.run(run())
    assert store.records == list(range(20))


def test_leaving_on_an_error_writes_what_is_queued():
    """An error in the block does not lose what was put before it."""
    written: list[int] = []

    async def run():
        with GroupCommitWriter(written.extend) as writer:
            waiters = [asyncio.ensure_future(writer.put(n)) for n in range(5)]
            await asyncio.sleep(0)
            for waiter in waiters:
                waiter.cancel()
            raise StorageError("elsewhere")

    with pytest.raises(StorageError, match="elsewhere"):
        asyncio.run(run())
    assert written == list(range(5))
