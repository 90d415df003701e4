"""How a batch's items get their outputs: replay what is on record, say the plan, ask for the rest."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

from llm_assets.config.task import BudgetSettings, LimitSettings
from llm_assets.core.calls import CallKind
from llm_assets.core.chain import DueChain, Ends, ReplayedChain, enter_step
from llm_assets.core.chain_outputs import join_item
from llm_assets.core.ids import StepName
from llm_assets.core.item_ends import BEYOND_LIMIT
from llm_assets.core.item_loop import build_unasked_output
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput, count_outcomes
from llm_assets.core.plan import Plan
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.run_summary import RunSummary, StepSummary, find_quantile
from llm_assets.gateways.budget import Budget, CappedBudget, NoBudget
from llm_assets.gateways.caller import Caller, Route, RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.dispatcher import Dispatcher, ItemEnds
from llm_assets.gateways.endpoint_client import open_endpoint_client
from llm_assets.gateways.garbage import collect_garbage_seldom
from llm_assets.gateways.gates import Gates
from llm_assets.gateways.image_content import LoadImage, load_no_image
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.planning import Planner
from llm_assets.gateways.progress import Progress, StepProgress
from llm_assets.gateways.replaying import Replayer
from llm_assets.gateways.task_steps import ConnectedStep

LIVE_SECONDS = 0.3


class Observer:
    """Who is told about a run. Does nothing by itself."""

    def show_plan(self, plan: Plan, /) -> None:
        """Told before the first call."""

    def show_progress(self, progress: Progress, /) -> None:
        """Told every few seconds, and once at the end."""

    def show_warning(self, text: str, /) -> None:
        """Told of what a person may want to act on while the run goes on."""

    def show_live(self, progress: Progress, /) -> None:
        """Told several times a second, for who draws a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The outputs in item order, and what the run itself did."""

    outputs: tuple[ItemOutput, ...]
    """Of several steps, what became of each item in all of them, those of earlier runs included."""
    by_step: tuple[tuple[ItemOutput, ...], ...]
    """The outputs of each step of this run, in their order."""
    plan: Plan
    summary: RunSummary


@dataclass(frozen=True, kw_only=True)
class LLMRun:
    """One batch on its way through the model."""

    steps: Sequence[ConnectedStep]
    """Those that run, in an order in which they can."""
    identity: RunIdentity
    limits: LimitSettings
    budget: BudgetSettings
    ledger: Ledger
    clock: Clock
    observer: Observer
    load_image: LoadImage = load_no_image
    """Where the bytes of pictures come from when their calls are sent."""

    def finish_batch(
        self, items: Sequence[Item], choice: RunChoice, *, given: Sequence[Ends] = ()
    ) -> RunResult:
        """Bring every item to its end, or as far as the choice lets it.

        `given` holds for each item what earlier runs left of steps that this one leaves alone. Raises `ProviderError` where the endpoint cannot serve the run; every answer until then is on record.
        """
        started_seconds = self.clock.get_monotonic_seconds()
        replayer = self._planner.build_replayer(choice)
        planned = self._planner.plan_batch(
            items, choice, batch=self.identity.batch, given=given, replayer=replayer
        )
        plan, due = planned.plan, planned.due.chosen
        self.observer.show_plan(plan)
        for warning in plan.warnings if due else ():
            self.observer.show_warning(warning)
        progress = Progress(n_to_run=len(due), steps=self._build_step_accounts())
        finished = asyncio.run(self._ask(due, progress, replayer)) if due else {}
        ends = [
            finished.get(place) or self._list_ends(chain)
            for place, chain in enumerate(planned.replayed)
        ]
        elapsed_seconds = self.clock.get_monotonic_seconds() - started_seconds
        outputs = tuple(
            self._join(own, chain.given) for own, chain in zip(ends, planned.replayed, strict=True)
        )
        by_step = tuple(zip(*ends, strict=True)) if ends else tuple(() for _ in self.steps)
        summary = _build_summary(outputs, plan, progress, elapsed_seconds=elapsed_seconds)
        named = dict(zip(progress.steps, by_step, strict=False))
        steps = tuple(_sum_step(name, named[name], each) for name, each in progress.steps.items())
        return RunResult(
            outputs=outputs,
            by_step=by_step,
            plan=plan,
            summary=summary.model_copy(update={"steps": steps}),
        )

    def _build_step_accounts(self) -> dict[StepName, StepProgress]:
        names = (each.step.name for each in self.steps)
        return {name: StepProgress() for name in names if name is not None}

    def _list_ends(self, chain: ReplayedChain) -> ItemEnds:
        """What became of an item that the run leaves alone: all on record, or beyond the limit."""
        ends = dict(chain.given)
        listed: list[ItemOutput] = []
        for each, state in zip(self.steps, chain.states, strict=True):
            step = each.step
            at = state or enter_step(step, chain.item, ends)
            if isinstance(at, Item) or at is None:
                raise AssertionError("unreachable: every earlier step is at an end")
            end = at.output or build_unasked_output(
                step, at.item, at.answers, outcome="skipped", reason=BEYOND_LIMIT
            )
            listed.append(end)
            if step.name is not None:
                ends[step.name] = end
        return tuple(listed)

    def _join(self, own: ItemEnds, given: Ends) -> ItemOutput:
        names = [each.step.name for each in self.steps]
        if names[0] is None:
            return own[0]
        return join_item(
            {**given, **{name: end for name, end in zip(names, own, strict=True) if name}}
        )

    async def _ask(
        self, due: Sequence[DueChain], progress: Progress, replayer: Replayer
    ) -> dict[int, ItemEnds]:
        async with AsyncExitStack() as stack:
            gates = Gates(limits=self.limits, clock=self.clock, note_wait=progress.note_wait)
            routes = {
                CallKind(each.step.name, purpose): await self._open_route(stack, connection, gates)
                for each in self.steps
                for purpose, connection in each.connections.items()
            }
            recorder = stack.enter_context(self.ledger.open_writer())
            stack.enter_context(self._report(progress))
            stack.enter_context(collect_garbage_seldom())
            caller = Caller(
                identity=self.identity,
                routes=routes,
                recorder=recorder,
                limits=self.limits,
                clock=self.clock,
                progress=progress,
                budget=stack.enter_context(self._open_budget(progress)),
            )
            dispatcher = Dispatcher(
                [each.step for each in self.steps],
                caller=caller,
                progress=progress,
                find_answers=self.ledger.find_answers,
                place_item=replayer.place_item,
                min_prefix_tokens=self._min_prefix_tokens,
            )
            return await dispatcher.finish_items(due, max_in_flight=self._max_in_flight)

    async def _open_route(
        self, stack: AsyncExitStack, connection: Connection, gates: Gates
    ) -> Route:
        client = open_endpoint_client(
            connection,
            timeout_seconds=self.limits.timeout_seconds,
            load_image=self.load_image,
        )
        return Route(
            name=connection.name,
            endpoint=await stack.enter_async_context(client),
            compute_cost=connection.compute_cost,
            gate=gates.find(connection),
        )

    @contextmanager
    def _open_budget(self, progress: Progress) -> Generator[Budget]:
        if not self.budget.is_capped:
            yield NoBudget()
            return
        budget = CappedBudget(
            self.budget,
            ledger=self.ledger,
            run_id=self.identity.run_id,
            clock=self.clock,
            warn=self.observer.show_warning,
            note_wait=progress.note_wait,
        )
        try:
            yield budget
        finally:
            budget.release()

    @property
    def _planner(self) -> Planner:
        return Planner(
            steps=self.steps,
            task=self.identity.task,
            ledger=self.ledger,
            epochs=self.ledger,
        )

    @property
    def _max_in_flight(self) -> int:
        """As many as the endpoints of the models that answer take; each has a gate that holds it to its own limit."""
        endpoints = {
            connection.base_url: connection.endpoint.max_in_flight
            for each in self.steps
            for connection in [each.connections["generate"]]
        }
        return self.limits.max_in_flight or sum(endpoints.values())

    @property
    def _min_prefix_tokens(self) -> int | None:
        """The shortest beginning of a prompt that calls wait for to be cached; None where they wait for none.

        Items on their way through several steps do not wait: those behind one would wait for all of its steps.
        """
        if len(self.steps) > 1:
            return None
        endpoint = self.steps[0].connections["generate"].endpoint
        is_wanted = self.limits.warm_up and endpoint.caches_prefixes
        return endpoint.min_cached_prefix_tokens if is_wanted else None

    @contextmanager
    def _report(self, progress: Progress) -> Generator[None]:
        """Show the progress every few seconds while the block runs, and once more at its end."""

        async def tick(wait_seconds: float, show: Callable[[Progress], None]) -> None:
            while True:
                await self.clock.wait(wait_seconds)
                show(progress)

        loop = asyncio.get_running_loop()
        tickers = [
            loop.create_task(tick(self.limits.progress_seconds, self.observer.show_progress)),
            loop.create_task(tick(LIVE_SECONDS, self.observer.show_live)),
        ]
        try:
            yield
        finally:
            for ticker in tickers:
                ticker.cancel()
            progress.is_over = True
            self.observer.show_progress(progress)


def _build_summary(
    outputs: Sequence[ItemOutput], plan: Plan, progress: Progress, *, elapsed_seconds: float
) -> RunSummary:
    return RunSummary(
        n_items=len(outputs),
        outcomes=count_outcomes(outputs),
        calls_sent=progress.n_sent,
        calls_reused=plan.n_calls_reused + len(progress.found),
        prompt_tokens=progress.prompt_tokens,
        completion_tokens=progress.completion_tokens,
        cached_tokens=progress.cached_tokens,
        cost_usd=progress.cost_usd,
        cost_is_known=progress.cost_is_known,
        faults=dict(progress.faults),
        latency_p50_seconds=find_quantile(progress.latencies_seconds, 0.50),
        latency_p95_seconds=find_quantile(progress.latencies_seconds, 0.95),
        latency_max_seconds=find_quantile(progress.latencies_seconds, 1.0),
        elapsed_seconds=round(elapsed_seconds, 3),
    )


def _sum_step(name: StepName, outputs: Sequence[ItemOutput], progress: StepProgress) -> StepSummary:
    return StepSummary(
        name=name,
        outcomes=count_outcomes(outputs),
        calls_sent=progress.n_sent,
        prompt_tokens=progress.prompt_tokens,
        completion_tokens=progress.completion_tokens,
        cost_usd=progress.cost_usd,
        cost_is_known=progress.cost_is_known,
    )
