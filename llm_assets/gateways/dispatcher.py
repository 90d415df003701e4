"""How due items get to their ends, many at once."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence

from llm_assets.core.budget import OverBudget
from llm_assets.core.calls import Fault
from llm_assets.core.ids import CallKey
from llm_assets.core.item_ends import assign_output
from llm_assets.core.item_loop import Ask, Done, advance, build_fault_output, build_unasked_output
from llm_assets.core.item_origin import build_origin
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.step import Step
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.caller import Call, Caller, Progress

Due = tuple[int, ReplayedItem]
"""An item that needs a call, with its place among the batch's items."""


class Dispatcher:
    """Drives due items to their ends over one endpoint."""

    def __init__(self, step: Step, *, caller: Caller, progress: Progress) -> None:
        self._step = step
        self._caller = caller
        self._progress = progress

    async def finish_items(
        self, due: Sequence[Due], *, max_in_flight: int
    ) -> dict[int, ItemOutput]:
        """Ask for every due item until it is at its end; the outputs by the items' places.

        `ProviderError` stops it where no further call could fare better, `StorageError` where nothing can be put on
        record any more; what was answered until then is there.
        """
        outputs: dict[int, ItemOutput] = {}
        queue = iter(_group_identical(due))
        n_workers = min(max_in_flight, len(due))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(n_workers):
                    workers.create_task(self._work(queue, outputs))
        except* LLMAssetsError as group:
            raise group.exceptions[0] from None
        return outputs

    async def _work(self, queue: Iterator[list[Due]], outputs: dict[int, ItemOutput]) -> None:
        for identical in queue:
            _, leader = identical[0]
            output = await self._finish(leader)
            for place, state in identical:
                outputs[place] = assign_output(output, state.item.work)
                self._progress.n_done += 1

    async def _finish(self, state: ReplayedItem) -> ItemOutput:
        """Ask until the item is at its end or a call brings no answer."""
        answers = state.answers
        while True:
            decision = advance(self._step, state.item, answers, n_known=len(state.answers))
            if isinstance(decision, Done):
                return decision.output
            call = self._build_call(decision, state.item)
            result = await self._caller.find_answer(call)
            if isinstance(result, OverBudget):
                return build_unasked_output(
                    self._step, state.item, answers, outcome="over_budget", reason=result.reason
                )
            if isinstance(result, Fault):
                return build_fault_output(
                    self._step, state.item, answers, asked=decision, key=call.key, fault=result
                )
            answers = (*answers, result)

    def _build_call(self, ask: Ask, item: Item) -> Call:
        shared_texts = (self._step.schema_text, item.group_context or "")
        return Call(
            key=ask.request.build_key(),
            request=ask.request,
            purpose=ask.purpose,
            origin=build_origin(self._step, item, ask.purpose),
            shared_texts=tuple(text for text in shared_texts if text),
        )


def _group_identical(due: Sequence[Due]) -> list[list[Due]]:
    """Items whose next calls are the same call: one of them asks, all of them get the answers."""
    groups: dict[CallKey | None, list[Due]] = defaultdict(list)
    for place, state in due:
        groups[state.next_key].append((place, state))
    return list(groups.values())
