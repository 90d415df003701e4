"""How a batch's items get their outputs: replay what is on record, say the plan, ask for the rest."""

import asyncio
import gc
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

from llm_assets.config.task import BudgetSettings, LimitSettings
from llm_assets.core.calls import Purpose
from llm_assets.core.concurrency import build_concurrency
from llm_assets.core.item_ends import BEYOND_LIMIT
from llm_assets.core.item_loop import build_unasked_output
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput, count_outcomes
from llm_assets.core.plan import Plan
from llm_assets.core.rate_limit import RateLimit
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.run_summary import RunSummary, find_quantile
from llm_assets.core.step import Step
from llm_assets.gateways.budget import Budget, CappedBudget, NoBudget
from llm_assets.gateways.caller import Caller, Progress, Route, RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.departures import Due
from llm_assets.gateways.dispatcher import Dispatcher
from llm_assets.gateways.endpoint_client import open_endpoint_client
from llm_assets.gateways.gate import Gate
from llm_assets.gateways.image_content import LoadImage, load_no_image
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.planning import Planner

LIVE_SECONDS = 0.3
CALLS_BETWEEN_COLLECTIONS = 500
OBJECTS_PER_CALL = 100


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
    plan: Plan
    summary: RunSummary


@dataclass(frozen=True, kw_only=True)
class LLMRun:
    """One batch on its way through the model."""

    step: Step
    identity: RunIdentity
    connections: Mapping[Purpose, Connection]
    """How the model that answers is reached, and the judge's where there is one."""
    limits: LimitSettings
    budget: BudgetSettings
    ledger: Ledger
    clock: Clock
    observer: Observer
    load_image: LoadImage = load_no_image
    """Where the bytes of pictures come from when their calls are sent."""

    def finish_batch(self, items: Sequence[Item], choice: RunChoice) -> RunResult:
        """Bring every item to its end, or as far as the choice lets it.

        Raises `ProviderError` where the endpoint cannot serve the run; every answer until then is on record.
        """
        started_seconds = self.clock.get_monotonic_seconds()
        planned = self._planner.plan_batch(items, choice, batch=self.identity.batch)
        plan, due = planned.plan, planned.due.chosen
        self.observer.show_plan(plan)
        for warning in plan.warnings if due else ():
            self.observer.show_warning(warning)
        progress = Progress(n_to_run=len(due))
        finished = asyncio.run(self._ask(due, progress)) if due else {}
        outputs = tuple(
            finished.get(place) or state.output or self._leave_out(state)
            for place, state in enumerate(planned.replayed)
        )
        elapsed_seconds = self.clock.get_monotonic_seconds() - started_seconds
        summary = _build_summary(outputs, plan, progress, elapsed_seconds=elapsed_seconds)
        return RunResult(outputs=outputs, plan=plan, summary=summary)

    def _leave_out(self, state: ReplayedItem) -> ItemOutput:
        return build_unasked_output(
            self.step, state.item, state.answers, outcome="skipped", reason=BEYOND_LIMIT
        )

    async def _ask(self, due: Sequence[Due], progress: Progress) -> dict[int, ItemOutput]:
        async with AsyncExitStack() as stack:
            gates = _Gates(limits=self.limits, clock=self.clock, note_wait=progress.note_wait)
            routes: dict[Purpose, Route] = {
                purpose: await self._open_route(stack, connection, gates)
                for purpose, connection in self.connections.items()
            }
            recorder = stack.enter_context(self.ledger.open_writer())
            stack.enter_context(self._report(progress))
            stack.enter_context(_collect_garbage_seldom())
            caller = Caller(
                identity=self.identity,
                routes=routes,
                recorder=recorder,
                limits=self.limits,
                clock=self.clock,
                progress=progress,
                budget=stack.enter_context(self._open_budget()),
            )
            dispatcher = Dispatcher(
                self.step,
                caller=caller,
                progress=progress,
                find_answers=self.ledger.find_answers,
                min_prefix_tokens=self._min_prefix_tokens,
            )
            return await dispatcher.finish_items(due, max_in_flight=self._max_in_flight)

    async def _open_route(
        self, stack: AsyncExitStack, connection: Connection, gates: "_Gates"
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
    def _open_budget(self) -> Generator[Budget]:
        if not self.budget.is_capped:
            yield NoBudget()
            return
        budget = CappedBudget(
            self.budget,
            ledger=self.ledger,
            run_id=self.identity.run_id,
            clock=self.clock,
            warn=self.observer.show_warning,
        )
        try:
            yield budget
        finally:
            budget.release()

    @property
    def _planner(self) -> Planner:
        return Planner(
            step=self.step,
            task=self.identity.task,
            connections=self.connections,
            ledger=self.ledger,
            epochs=self.ledger,
        )

    @property
    def _generating(self) -> Connection:
        return self.connections["generate"]

    @property
    def _max_in_flight(self) -> int:
        return self.limits.max_in_flight or self._generating.endpoint.max_in_flight

    @property
    def _min_prefix_tokens(self) -> int | None:
        """The shortest beginning of a prompt that calls wait for to be cached; None where they wait for none."""
        endpoint = self._generating.endpoint
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


@contextmanager
def _collect_garbage_seldom() -> Generator[None]:
    """Let the collector look less often while calls come and go.

    A call makes hundreds of objects and no cycles worth looking for; at the usual threshold the collector takes a
    twentieth of the wall time of 5,000 calls at 200 in flight.
    """
    usual = gc.get_threshold()
    gc.set_threshold(CALLS_BETWEEN_COLLECTIONS * OBJECTS_PER_CALL, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@dataclass(slots=True, kw_only=True)
class _Gates:
    """One gate for each endpoint, also where the judge and the model that answers share one."""

    limits: LimitSettings
    clock: Clock
    note_wait: Callable[[str], None]
    by_address: dict[str, Gate] = field(default_factory=dict[str, Gate])

    def find(self, connection: Connection) -> Gate:
        """The gate of an endpoint."""
        gate = self.by_address.get(connection.base_url)
        if gate is None:
            gate = self.by_address[connection.base_url] = self._build(connection)
        return gate

    def _build(self, connection: Connection) -> Gate:
        limits = self.limits
        own_ceiling = limits.max_in_flight
        return Gate(
            concurrency=build_concurrency(
                ceiling=own_ceiling or connection.endpoint.max_in_flight,
                is_fixed=own_ceiling is not None or connection.endpoint.is_offline,
            ),
            rate=RateLimit(
                requests_per_minute=limits.requests_per_minute,
                tokens_per_minute=limits.tokens_per_minute,
            ),
            clock=self.clock,
            note_wait=self.note_wait,
        )


def _build_summary(
    outputs: Sequence[ItemOutput], plan: Plan, progress: Progress, *, elapsed_seconds: float
) -> RunSummary:
    return RunSummary(
        n_items=len(outputs),
        outcomes=count_outcomes(outputs),
        calls_sent=progress.n_sent,
        calls_reused=plan.n_calls_reused,
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
