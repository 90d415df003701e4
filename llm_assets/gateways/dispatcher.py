"""How due items get through their steps, many at once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from llm_assets.core.chain import DueChain, Ends, ReplayedChain, enter_step, group_identical
from llm_assets.core.ids import CallKey, StepName
from llm_assets.core.item_ends import assign_output
from llm_assets.core.item_replay import FindAnswers, ReplayedItem
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.prefix_sharing import NO_SHARING, PrefixSharing, find_prefix_sharing
from llm_assets.core.step import Step
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.caller import Caller, CallResult, NoteTry
from llm_assets.gateways.departures import Departures
from llm_assets.gateways.progress import Progress
from llm_assets.gateways.replaying import PlaceItem
from llm_assets.gateways.step_driver import StepDriver

ItemEnds = tuple[ItemOutput, ...]
"""What became of an item in each step, in their order."""


class Dispatcher:
    """Drives due items to their ends. Calls that turn out to be the same call are sent once.

    Items do not wait for each other: one may be in the last step while another is in the first. An item's own steps
    go on side by side where none of them comes after the other.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        caller: Caller,
        progress: Progress,
        find_answers: FindAnswers,
        place_item: PlaceItem = lambda _, item: item,
        min_prefix_tokens: int | None = None,
    ) -> None:
        """`min_prefix_tokens` is the shortest beginning that is worth waiting for; None where none is."""
        under_way: dict[CallKey, asyncio.Future[CallResult]] = {}
        fresh: set[CallKey] = set()
        self._steps = steps
        self._min_prefix_tokens = min_prefix_tokens
        self._drivers = [
            StepDriver(
                step=step,
                caller=caller,
                progress=progress,
                find_answers=find_answers,
                under_way=under_way,
                fresh=fresh,
            )
            for step in steps
        ]
        self._progress = progress
        self._place_item = place_item

    async def finish_items(
        self, due: Sequence[DueChain], *, max_in_flight: int
    ) -> dict[int, ItemEnds]:
        """Ask for every due item until it is at its end in every step; the ends by the items' places.

        `ProviderError` stops it where no further call could fare better, `StorageError` where nothing can be put on
        record any more; what was answered until then is there.
        """
        ends: dict[int, ItemEnds] = {}
        departures = Departures(
            group_identical(self._steps, due),
            sharing=self._find_sharing(due),
            note_wait=self._progress.note_wait,
        )
        seats = asyncio.Semaphore(max_in_flight)
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(max_in_flight, len(due))):
                    workers.create_task(self._work(departures, ends, seats))
        except* LLMAssetsError as group:
            raise _find_first(group) from None
        return ends

    def _find_sharing(self, due: Sequence[DueChain]) -> PrefixSharing:
        if self._min_prefix_tokens is None:
            return NO_SHARING
        items = (chain.item for _, chain in due)
        prefix = self._steps[0].prompt.shared_prefix
        return find_prefix_sharing(prefix, items, min_tokens=self._min_prefix_tokens)

    async def _work(
        self, departures: Departures, ends: dict[int, ItemEnds], seats: asyncio.Semaphore
    ) -> None:
        while (leaving := await departures.take()) is not None:
            _, leader = leaving.items[0]
            journey = _Journey(
                chain=leader,
                steps=self._steps,
                drivers=self._drivers,
                seats=seats,
                place_item=self._place_item,
                note_end=partial(self._note_end, n_items=len(leaving.items)),
                note_try=partial(departures.note_try, leaving),
            )
            try:
                led = await journey.finish()
            finally:
                departures.note_end(leaving)
            for place, chain in leaving.items:
                ends[place] = tuple(assign_output(end, chain.item.work) for end in led)
                self._progress.n_done += 1

    def _note_end(self, step: Step, *, n_items: int) -> None:
        if step.name is not None:
            self._progress.steps[step.name].n_done += n_items


@dataclass(slots=True, kw_only=True)
class _Journey:
    """One item on its way through the steps."""

    chain: ReplayedChain
    steps: Sequence[Step]
    drivers: Sequence[StepDriver]
    seats: asyncio.Semaphore
    """Steps of all items that go on at once, so that a strict sequence stays one."""
    place_item: PlaceItem
    note_end: Callable[[Step], None]
    note_try: NoteTry
    under_way: dict[StepName, asyncio.Task[ItemOutput]] = field(
        default_factory=dict[StepName, asyncio.Task[ItemOutput]]
    )

    async def finish(self) -> ItemEnds:
        if len(self.steps) == 1:
            return (await self._finish_step(0, self.steps[0]),)
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[ItemOutput]] = []
            for number, step in enumerate(self.steps):
                task = group.create_task(self._finish_step(number, step))
                tasks.append(task)
                if step.name is not None:
                    self.under_way[step.name] = task
        return tuple(task.result() for task in tasks)

    async def _finish_step(self, number: int, step: Step) -> ItemOutput:
        state = self.chain.states[number]
        if state is None:
            state = self._enter(step, await self._await_upstream(step))
        end = state.output
        if end is None:
            async with self.seats:
                end = await self.drivers[number].finish(state, self.note_try)
        self.note_end(step)
        return end

    async def _await_upstream(self, step: Step) -> Ends:
        ends = dict(self.chain.given)
        for name in step.upstream:
            if name in self.under_way:
                ends[name] = await self.under_way[name]
        return ends

    def _enter(self, step: Step, ends: Mapping[StepName, ItemOutput]) -> ReplayedItem:
        entered = enter_step(step, self.chain.item, ends)
        if isinstance(entered, ReplayedItem):
            return entered
        item = self.place_item(step, entered or self.chain.item)
        return ReplayedItem(item=item, answers=(), output=None, next_key=None, next_purpose=None)


def _find_first(group: BaseExceptionGroup[LLMAssetsError]) -> LLMAssetsError:
    """One error of ours, also where it comes out of groups inside of the group."""
    first = group.exceptions[0]
    return _find_first(first) if isinstance(first, BaseExceptionGroup) else first
