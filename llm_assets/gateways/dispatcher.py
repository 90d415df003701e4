"""How due items get to their ends, many at once."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from llm_assets.core.budget import OverBudget
from llm_assets.core.calls import Fault, Unsendable
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import CallKey, Sha256
from llm_assets.core.item_ends import assign_output
from llm_assets.core.item_loop import Ask, Done, advance, build_fault_output, build_unasked_output
from llm_assets.core.item_origin import build_origin
from llm_assets.core.item_replay import FindAnswers, ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.prefix_sharing import NO_SHARING, PrefixSharing, find_prefix_sharing
from llm_assets.core.step import Step
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.caller import Call, Caller, CallResult, NoteTry, Progress
from llm_assets.gateways.departures import Departures, Due


class Dispatcher:
    """Drives due items to their ends. Calls that turn out to be the same call are sent once."""

    def __init__(
        self,
        step: Step,
        *,
        caller: Caller,
        progress: Progress,
        find_answers: FindAnswers,
        min_prefix_tokens: int | None = None,
    ) -> None:
        """`min_prefix_tokens` is the shortest beginning that is worth waiting for; None where none is."""
        self._step = step
        self._min_prefix_tokens = min_prefix_tokens
        self._caller = caller
        self._progress = progress
        self._find_answers = find_answers
        self._under_way: dict[CallKey, asyncio.Future[CallResult]] = {}

    async def finish_items(
        self, due: Sequence[Due], *, max_in_flight: int
    ) -> dict[int, ItemOutput]:
        """Ask for every due item until it is at its end; the outputs by the items' places.

        `ProviderError` stops it where no further call could fare better, `StorageError` where nothing can be put on
        record any more; what was answered until then is there.
        """
        outputs: dict[int, ItemOutput] = {}
        departures = Departures(
            _group_identical(self._step, due),
            sharing=self._find_sharing(due),
            note_wait=self._progress.note_wait,
        )
        n_workers = min(max_in_flight, len(due))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(n_workers):
                    workers.create_task(self._work(departures, outputs))
        except* LLMAssetsError as group:
            raise group.exceptions[0] from None
        return outputs

    def _find_sharing(self, due: Sequence[Due]) -> PrefixSharing:
        if self._min_prefix_tokens is None:
            return NO_SHARING
        items = (state.item for _, state in due)
        return find_prefix_sharing(
            self._step.prompt.shared_prefix, items, min_tokens=self._min_prefix_tokens
        )

    async def _work(self, departures: Departures, outputs: dict[int, ItemOutput]) -> None:
        while (leaving := await departures.take()) is not None:
            _, leader = leaving.items[0]
            try:
                output = await self._finish(leader, partial(departures.note_try, leaving))
            finally:
                departures.note_end(leaving)
            for place, state in leaving.items:
                outputs[place] = assign_output(output, state.item.work)
                self._progress.n_done += 1

    async def _finish(self, state: ReplayedItem, note_try: NoteTry) -> ItemOutput:
        """Ask until the item is at its end or a call brings no answer."""
        answers = state.answers
        while True:
            decision = advance(self._step, state.item, answers, n_known=len(state.answers))
            if isinstance(decision, Done):
                return decision.output
            call = self._build_call(decision, state.item)
            result = await self._find_answer(call, note_try)
            if isinstance(result, OverBudget):
                return build_unasked_output(
                    self._step, state.item, answers, outcome="over_budget", reason=result.reason
                )
            if isinstance(result, Unsendable):
                return build_unasked_output(
                    self._step, state.item, answers, outcome="failed", reason=result.reason
                )
            if isinstance(result, Fault):
                return build_fault_output(
                    self._step, state.item, answers, asked=decision, key=call.key, fault=result
                )
            answers = (*answers, result)

    async def _find_answer(self, call: Call, note_try: NoteTry) -> CallResult:
        """The answer of the same call where another item has it or waits for it, else one that is sent for."""
        if not self._step.can_part_items:
            # Items that share a later call share their first one, and so are led as one.
            return await self._caller.find_answer(call, note_try)
        under_way = self._under_way.get(call.key)
        if under_way is not None:
            return await asyncio.shield(under_way)
        # Two items may give a judge the same to read, and another judge may send an item down a way it went before.
        known = self._find_answers([call.key]).get(call.key)
        return known or await self._send(call, note_try)

    async def _send(self, call: Call, note_try: NoteTry) -> CallResult:
        result = asyncio.get_running_loop().create_future()
        self._under_way[call.key] = result
        try:
            result.set_result(await self._caller.find_answer(call, note_try))
            return result.result()
        finally:
            del self._under_way[call.key]
            result.cancel()  # whoever still waits is stopped with the run

    def _build_call(self, ask: Ask, item: Item) -> Call:
        shared_texts = (self._step.schema_text, item.group_context or "")
        return Call(
            key=ask.request.build_key(),
            request=ask.request,
            purpose=ask.purpose,
            origin=build_origin(self._step, item, ask.purpose),
            shared_texts=tuple(text for text in shared_texts if text),
        )


def _group_identical(step: Step, due: Sequence[Due]) -> list[list[Due]]:
    """Items whose calls are all the same calls: one of them asks, all of them get its end."""
    groups: dict[tuple[CallKey | None, Sha256 | None], list[Due]] = defaultdict(list)
    for place, state in due:
        groups[state.next_key, _build_likeness(step, state.item)].append((place, state))
    return list(groups.values())


def _build_likeness(step: Step, item: Item) -> Sha256 | None:
    """What of an item its next call may not show, but a judge or a hook may: such items may part at the next one."""
    if not step.can_part_items:
        return None
    work = item.work
    own_ids = [] if step.hooks is None else [work.work_id, work.row_ids]
    return fingerprint([work.values, work.group_key, work.group_context_id, *own_ids])
