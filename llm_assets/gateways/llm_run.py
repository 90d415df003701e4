"""How a batch's items get their outputs: replay what is on record, say the plan, ask for the rest."""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from llm_assets.config.task import BudgetSettings, LimitSettings
from llm_assets.core.calls import Purpose, Usage
from llm_assets.core.concurrency import build_concurrency
from llm_assets.core.ids import CallKey
from llm_assets.core.item_ends import BEYOND_LIMIT
from llm_assets.core.item_loop import Ask, advance, build_unasked_output
from llm_assets.core.item_replay import ReplayedItem, replay_items
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput, count_outcomes
from llm_assets.core.plan import Plan, build_plan, estimate_tokens, select_due
from llm_assets.core.rate_limit import RateLimit
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.run_summary import RunSummary, find_quantile
from llm_assets.core.step import Step
from llm_assets.gateways.budget import Budget, CappedBudget, NoBudget
from llm_assets.gateways.caller import Caller, Progress, Route, RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.dispatcher import Dispatcher, Due
from llm_assets.gateways.endpoint_client import open_endpoint_client
from llm_assets.gateways.gate import Gate
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.token_counter import build_token_counter

LIVE_SECONDS = 0.3
SAMPLED_PROMPTS = 50
"""So many prompts are counted for the expected cost; more would take longer than it tells."""
SAMPLED_ANSWERS = 500


class Observer:
    """Who is told about a run. Does nothing by itself."""

    def show_plan(self, plan: Plan, /) -> None:
        """Told before the first call."""

    def show_progress(self, progress: Progress, /) -> None:
        """Told every few seconds, and once at the end."""

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

    def finish_batch(self, items: Sequence[Item], choice: RunChoice) -> RunResult:
        """Bring every item to its end, or as far as the choice lets it.

        Raises `ProviderError` where the endpoint cannot serve the run; every answer until then is on record.
        """
        started_seconds = self.clock.get_monotonic_seconds()
        epoched = self._assign_epochs(items, choice)
        replayed = replay_items(self.step, epoched, self.ledger.find_answers)
        due = select_due(replayed, limit=choice.limit)
        plan = self._build_plan(replayed, due)
        self.observer.show_plan(plan)
        progress = Progress(n_to_run=len(due))
        finished = asyncio.run(self._ask(due, progress)) if due else {}
        outputs = tuple(
            finished.get(place) or state.output or self._leave_out(state)
            for place, state in enumerate(replayed)
        )
        elapsed_seconds = self.clock.get_monotonic_seconds() - started_seconds
        summary = _build_summary(outputs, plan, progress, elapsed_seconds=elapsed_seconds)
        return RunResult(outputs=outputs, plan=plan, summary=summary)

    def _leave_out(self, state: ReplayedItem) -> ItemOutput:
        return build_unasked_output(
            self.step, state.item, state.answers, outcome="skipped", reason=BEYOND_LIMIT
        )

    def _assign_epochs(self, items: Sequence[Item], choice: RunChoice) -> tuple[Item, ...]:
        """The items in the epoch a person last forced them into; a forced run begins a new one."""
        if not choice.is_forced and not self.ledger.has_epochs():
            return tuple(items)
        keys = [_build_first_key(self.step, item) for item in items]
        chosen = keys if choice.limit is None else keys[: choice.limit]
        raised = self.ledger.raise_epochs(chosen) if choice.is_forced else {}
        epochs = self.ledger.find_epochs(keys) | raised
        return tuple(
            replace(item, epoch=epochs.get(key, 0)) for item, key in zip(items, keys, strict=True)
        )

    def _build_plan(self, replayed: Sequence[ReplayedItem], due: Sequence[Due]) -> Plan:
        cost_per_call_usd, is_approximate = self._estimate_cost_per_call(due)
        return build_plan(
            replayed, due, cost_per_call_usd=cost_per_call_usd, is_approximate=is_approximate
        )

    def _estimate_cost_per_call(self, due: Sequence[Due]) -> tuple[Decimal | None, bool]:
        """The likely cost of one of the calls, from a sample of the prompts and the answers on record."""
        if not due:
            return Decimal(0), False
        counter = build_token_counter(
            self.step.settings.model, is_offline=self._generating.endpoint.is_offline
        )
        sample = due[:: max(1, len(due) // SAMPLED_PROMPTS)]
        counts = [_count_prompt_tokens(self.step, state, counter.count) for _, state in sample]
        lengths = self.ledger.list_completion_tokens(task=self.identity.task, limit=SAMPLED_ANSWERS)
        usage = Usage(
            prompt_tokens=sum(counts) // len(counts),
            completion_tokens=estimate_tokens(lengths, cap=self.step.max_output_tokens),
        )
        return self._generating.compute_cost(usage), counter.is_approximate

    async def _ask(self, due: Sequence[Due], progress: Progress) -> dict[int, ItemOutput]:
        async with AsyncExitStack() as stack:
            gates = _Gates(limits=self.limits, clock=self.clock, note_wait=progress.note_wait)
            routes: dict[Purpose, Route] = {
                purpose: await self._open_route(stack, connection, gates)
                for purpose, connection in self.connections.items()
            }
            recorder = stack.enter_context(self.ledger.open_writer())
            stack.enter_context(self._report(progress))
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
            )
            return await dispatcher.finish_items(due, max_in_flight=self._max_in_flight)

    async def _open_route(
        self, stack: AsyncExitStack, connection: Connection, gates: "_Gates"
    ) -> Route:
        client = open_endpoint_client(connection, timeout_seconds=self.limits.timeout_seconds)
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
            self.budget, ledger=self.ledger, run_id=self.identity.run_id, clock=self.clock
        )
        try:
            yield budget
        finally:
            budget.release()

    @property
    def _generating(self) -> Connection:
        return self.connections["generate"]

    @property
    def _max_in_flight(self) -> int:
        return self.limits.max_in_flight or self._generating.endpoint.max_in_flight

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
        cost_usd=progress.cost_usd,
        cost_is_known=progress.cost_is_known,
        faults=dict(progress.faults),
        latency_p50_seconds=find_quantile(progress.latencies_seconds, 0.50),
        latency_p95_seconds=find_quantile(progress.latencies_seconds, 0.95),
        elapsed_seconds=round(elapsed_seconds, 3),
    )


def _build_first_key(step: Step, item: Item) -> CallKey:
    decision = advance(step, replace(item, epoch=0), (), n_known=0)
    return decision.request.build_key() if isinstance(decision, Ask) else CallKey("")


def _count_prompt_tokens(
    step: Step, state: ReplayedItem, count_tokens: Callable[[str], int]
) -> int:
    decision = advance(step, state.item, state.answers, n_known=len(state.answers))
    messages = decision.request.messages if isinstance(decision, Ask) else ()
    return sum(count_tokens(message.content) for message in messages)
