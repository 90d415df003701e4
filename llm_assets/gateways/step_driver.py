"""How one item gets to its end in one step."""

import asyncio
from dataclasses import dataclass

from llm_assets.core.budget import OverBudget
from llm_assets.core.calls import Answer, Fault, Unsendable
from llm_assets.core.ids import CallKey
from llm_assets.core.item_loop import Ask, Done, advance, build_fault_output, build_unasked_output
from llm_assets.core.item_origin import build_origin
from llm_assets.core.item_replay import FindAnswers, ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.step import Step
from llm_assets.gateways.caller import Call, Caller, CallResult, NoteTry
from llm_assets.gateways.progress import Progress


@dataclass(frozen=True, kw_only=True)
class StepDriver:
    """Asks the calls of one step."""

    step: Step
    caller: Caller
    progress: Progress
    find_answers: FindAnswers
    under_way: dict[CallKey, asyncio.Future[CallResult]]
    """Calls of all steps that are being sent."""
    fresh: set[CallKey]
    """Calls of all steps that this run has had answered."""

    async def finish(self, state: ReplayedItem, note_try: NoteTry = lambda _: None) -> ItemOutput:
        """Ask until the item is at its end or a call brings no answer; `note_try` is told what came of each try."""
        answers, n_known = state.answers, len(state.answers)
        while True:
            decision = advance(self.step, state.item, answers, n_known=n_known)
            if isinstance(decision, Done):
                return decision.output
            call = self._build_call(decision, state.item)
            known = self._find_known(call)
            result = known or await self._find_answer(call, note_try)
            if isinstance(result, OverBudget):
                return build_unasked_output(
                    self.step, state.item, answers, outcome="over_budget", reason=result.reason
                )
            if isinstance(result, Unsendable):
                return build_unasked_output(
                    self.step, state.item, answers, outcome="failed", reason=result.reason
                )
            if isinstance(result, Fault):
                return build_fault_output(
                    self.step, state.item, answers, asked=decision, key=call.key, fault=result
                )
            answers = (*answers, result)
            n_known += known is not None

    def _find_known(self, call: Call) -> Answer | None:
        """The answer of an earlier run to a call of a later step: nobody could look it up before this one."""
        if not self.step.upstream or call.key in self.fresh or call.key in self.under_way:
            return None
        known = self.find_answers([call.key]).get(call.key)
        if known is not None:
            self.progress.found.add(call.key)
        return known

    async def _find_answer(self, call: Call, note_try: NoteTry) -> CallResult:
        """The answer of the same call where another item has it or waits for it, else one that is sent for."""
        if not self.step.can_part_items and self.step.name is None:
            # Items that share a later call share their first one, and so are led as one.
            return await self.caller.find_answer(call, note_try)
        under_way = self.under_way.get(call.key)
        if under_way is not None:
            return await asyncio.shield(under_way)
        # Two items may give a judge or a later step the same to read, and another judge may send an item down a way
        # it went before.
        known = self.find_answers([call.key]).get(call.key)
        return known or await self._send(call, note_try)

    async def _send(self, call: Call, note_try: NoteTry) -> CallResult:
        result = asyncio.get_running_loop().create_future()
        self.under_way[call.key] = result
        try:
            answer = await self.caller.find_answer(call, note_try)
            result.set_result(answer)
            if isinstance(answer, Answer):
                self.fresh.add(call.key)
            return answer
        finally:
            del self.under_way[call.key]
            result.cancel()  # whoever still waits is stopped with the run

    def _build_call(self, ask: Ask, item: Item) -> Call:
        shared_texts = (self.step.schema_text, item.group_context or "")
        return Call(
            key=ask.request.build_key(),
            request=ask.request,
            purpose=ask.purpose,
            origin=build_origin(self.step, item, ask.purpose),
            shared_texts=tuple(text for text in shared_texts if text),
        )
