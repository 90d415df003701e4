"""In which order items leave, so that what their prompts begin with alike is in the provider's cache in time.

One item of each long beginning goes first; the others with the same beginning leave when its call is answered. Items
whose beginning is cached leave before another beginning is tried, because caches forget within minutes. No call is
added, and nobody waits who shares nothing. A call that brings no answer fills no cache: then the next one of its kind
goes first, and after a few of them all others leave as they are.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llm_assets.core.calls import Answer, Fault
from llm_assets.core.chain import DueChain
from llm_assets.core.ids import GroupContextId
from llm_assets.core.prefix_sharing import PrefixSharing

MAX_FIRST_TRIES = 3
"""Calls that may fail to fill a cache before nobody waits for it any more: each may take as long as a time-out."""


@dataclass(eq=False, slots=True)
class _Beginning:
    """Words that several prompts begin with."""

    waiting: deque[list[DueChain]] = field(default_factory=deque[list[DueChain]])
    first: "Leaving | None" = None
    """Who went first and is under way."""
    n_tries: int = 0
    is_over: bool = False
    """Whether it is cached, or nobody waits for that any more."""


@dataclass(eq=False, slots=True)
class Leaving:
    """Items that leave together because all of their calls are the same."""

    items: list[DueChain]
    beginnings: tuple[_Beginning, ...]
    """Those that they go first for."""


class Departures:
    """Hands out what is due; whoever takes it tells what came of each try."""

    def __init__(
        self,
        groups: Sequence[list[DueChain]],
        *,
        sharing: PrefixSharing,
        note_wait: Callable[[str], None],
    ) -> None:
        self._n_left = len(groups)
        self._note_wait = note_wait
        self._has_changed = asyncio.Event()
        self._common = _Beginning(is_over=not sharing.is_common)
        self._ready: deque[list[DueChain]] = deque()
        self._untried: deque[_Beginning] = deque()
        by_group: dict[GroupContextId, _Beginning] = {}
        for items in groups:
            group = items[0][1].item.work.group_context_id
            if group is None or group not in sharing.groups:
                self._ready.append(items)
                continue
            if group not in by_group:
                by_group[group] = _Beginning()
                self._untried.append(by_group[group])
            by_group[group].waiting.append(items)

    async def take(self) -> Leaving | None:
        """The next items, as soon as they may leave; None where none are left."""
        while self._n_left:
            leaving = self._choose()
            if leaving is not None:
                self._n_left -= 1
                return leaving
            self._note_wait("a first answer, so that others find what they begin with cached")
            self._has_changed.clear()
            await self._has_changed.wait()
        self._has_changed.set()
        return None

    def note_try(self, leaving: Leaving, result: Answer | Fault) -> None:
        """Take in what came of sending a call of these items once."""
        for beginning in leaving.beginnings:
            if isinstance(result, Answer):
                self._finish(beginning)
            else:
                self._give_up_lead(beginning, leaving)

    def note_end(self, leaving: Leaving) -> None:
        """Nothing more comes of these items; where they went first in vain, others do now."""
        for beginning in leaving.beginnings:
            self._give_up_lead(beginning, leaving)

    def _choose(self) -> Leaving | None:
        if not self._common.is_over and self._common.first is not None:
            return None
        if self._ready:
            return self._lead(self._ready.popleft(), [self._common])
        if self._untried:
            beginning = self._untried.popleft()
            return self._lead(beginning.waiting.popleft(), [self._common, beginning])
        return None

    def _lead(self, items: list[DueChain], beginnings: Sequence[_Beginning]) -> Leaving:
        leaving = Leaving(items, tuple(each for each in beginnings if not each.is_over))
        for beginning in leaving.beginnings:
            beginning.first = leaving
        return leaving

    def _give_up_lead(self, beginning: _Beginning, leaving: Leaving) -> None:
        if beginning.first is not leaving:
            return
        beginning.first = None
        beginning.n_tries += 1
        if beginning.n_tries >= MAX_FIRST_TRIES:
            self._finish(beginning)
        elif beginning.waiting and not beginning.is_over:
            self._untried.appendleft(beginning)
        self._has_changed.set()

    def _finish(self, beginning: _Beginning) -> None:
        if beginning.is_over:
            return
        beginning.is_over, beginning.first = True, None
        if beginning in self._untried:
            self._untried.remove(beginning)
        self._ready.extend(beginning.waiting)
        beginning.waiting.clear()
        self._has_changed.set()
