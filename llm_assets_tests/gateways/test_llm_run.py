from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from llm_assets.config.endpoint import PRESETS, EndpointSettings
from llm_assets.config.task import BudgetSettings, LimitSettings
from llm_assets.core.calls import CallRequest, Fault
from llm_assets.core.completions import Completion
from llm_assets.core.item_ends import BEYOND_LIMIT
from llm_assets.core.plan_cost import CostRange
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.step import Step
from llm_assets.errors import ProviderError
from llm_assets.gateways import llm_run
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.llm_run import LLMRun, RunResult
from llm_assets.gateways.task_steps import ConnectedStep
from llm_assets_tests.fakes import (
    CENT,
    IDENTITY,
    FakeClock,
    FakeEndpoint,
    RecordingObserver,
    Script,
    build_completion,
    build_fault,
    build_items,
    build_reading_step,
    echo,
)

ALL = RunChoice(limit=None, is_forced=False)
FORCED = RunChoice(limit=None, is_forced=True)
TEXTS = ("a", "b", "c", "d")
TICK_SECONDS = 5.0
TICKS = (TICK_SECONDS, llm_run.LIVE_SECONDS)
LIMITS = LimitSettings(progress_seconds=TICK_SECONDS, max_in_flight=1)


@dataclass(kw_only=True)
class Office:
    """Everything that runs over one ledger share, with the calls of the latest run."""

    url: str
    monkeypatch: pytest.MonkeyPatch
    script: Script = echo
    clock: FakeClock = field(default_factory=lambda: FakeClock(held_seconds=TICKS))
    limits: LimitSettings = LIMITS
    price: Decimal | None = CENT
    latency_seconds: float = 0.0
    settings: EndpointSettings = PRESETS["offline"]
    endpoint: FakeEndpoint = field(default_factory=lambda: FakeEndpoint([]))
    observer: RecordingObserver = field(default_factory=RecordingObserver)

    def run(self, texts=TEXTS, choice: RunChoice = ALL, *, step: Step | None = None) -> RunResult:
        """Finish a batch with these rows."""
        endpoint = self.endpoint = FakeEndpoint(
            self.script, clock=self.clock, latency_seconds=self.latency_seconds
        )
        self.observer = RecordingObserver(lambda: len(endpoint.requests))

        @asynccontextmanager
        async def open_fake(connection, *, timeout_seconds, load_image):
            yield endpoint

        self.monkeypatch.setattr(llm_run, "open_endpoint_client", open_fake)
        connection = Connection(
            name="office",
            endpoint=self.settings,
            base_url="http://offline.invalid/v1",
            api_key=None,
            compute_cost=lambda _: self.price,
        )
        with open_ledger(self.url) as ledger:
            run = LLMRun(
                steps=[
                    ConnectedStep(
                        step=step or build_reading_step(), connections={"generate": connection}
                    )
                ],
                identity=IDENTITY,
                limits=self.limits,
                budget=BudgetSettings(),
                ledger=ledger,
                clock=self.clock,
                observer=self.observer,
            )
            return run.finish_batch(build_items(texts), choice)

    @property
    def questions(self) -> list[str]:
        return self.endpoint.questions


@pytest.fixture
def office(tmp_path, monkeypatch):
    """A ledger in which nothing is, and an endpoint that echoes."""
    return Office(url=f"sqlite:///{tmp_path}/ledger.sqlite", monkeypatch=monkeypatch)


def read_answers(result: RunResult):
    return [output.output and output.output["answer"] for output in result.outputs]


def read_outcomes(result: RunResult):
    return [output.outcome for output in result.outputs]


def test_every_item_gets_its_output_in_order(office):
    """A first run asks for every item, and outputs come in item order."""
    result = office.run()
    assert read_answers(result) == list(TEXTS)
    assert (result.summary.calls_sent, result.summary.calls_reused) == (4, 0)
    assert result.summary.outcomes["accepted"] == 4


@pytest.mark.parametrize(
    ("is_wanted", "caches", "goes_alone"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
def test_a_first_call_fills_the_cache_where_there_is_one(office, is_wanted, caches, goes_alone):
    """On an endpoint that caches, one call goes first, unless the task says otherwise."""
    office.limits = LIMITS.model_copy(update={"warm_up": is_wanted, "max_in_flight": 4})
    office.settings = EndpointSettings(
        caches_prefixes=caches, min_cached_prefix_tokens=1, max_in_flight=4
    )
    n_in_flight: list[int] = []
    office.script = lambda request: n_in_flight.append(office.endpoint.n_in_flight) or echo(request)
    result = office.run(step=build_reading_step(user="Read this: {{ text }}"))
    assert (n_in_flight[0] == 1) is goes_alone
    assert result.summary.calls_sent == 4


def test_a_second_run_sends_nothing(office):
    """What was answered is never asked again, and the outputs are equal to the last digit."""
    first = office.run()
    second = office.run()
    assert office.questions == []
    assert second.outputs == first.outputs
    assert (second.summary.calls_sent, second.summary.calls_reused) == (0, 4)
    assert second.summary.cost_usd == 0


@pytest.mark.parametrize(
    ("texts", "asked"),
    [
        (("d", "c", "b", "a"), []),
        (("a", "b", "new", "c", "d"), ["new"]),
        (("a", "c"), []),
        (("a", "a", "b", "b"), []),
        (("A", "b", "c", "d"), ["A"]),
    ],
)
def test_only_what_is_missing_is_asked(office, texts, asked):
    """Order, removed and repeated rows cost nothing; a new or changed row costs its own call."""
    office.run()
    result = office.run(texts)
    assert office.questions == asked
    assert read_answers(result) == list(texts)


def test_the_plan_is_said_before_the_first_call(office):
    """What is answered, what will run and what it costs is told while nothing is sent yet."""
    office.run(("a", "b"))
    office.run(("a", "b", "c", "c", "d"))
    (plan,) = office.observer.plans
    assert office.observer.counts_at_plan == [0]
    assert (plan.n_items, plan.n_answered, plan.n_to_run, plan.n_left_out) == (5, 2, 3, 0)
    assert (plan.n_calls_to_send, plan.n_calls_reused) == (2, 2)
    assert plan.estimate.cost_usd is not None
    assert plan.estimate.cost_usd.likely_usd == 2 * CENT
    assert plan.is_approximate


def test_a_plan_with_nothing_to_do_costs_nothing(office):
    """An unchanged batch is planned as done, at no cost."""
    office.run()
    result = office.run()
    assert (result.plan.n_answered, result.plan.n_to_run) == (4, 0)
    nothing = Decimal(0)
    assert result.plan.estimate.cost_usd == CostRange(
        low_usd=nothing, likely_usd=nothing, high_usd=nothing
    )


def test_an_unknown_price_is_planned_as_unknown(office):
    """A model without a price makes a plan without a sum, not one of nothing."""
    office.price = None
    result = office.run()
    assert result.plan.estimate.cost_usd is None
    assert not result.summary.cost_is_known


def test_a_limit_runs_the_first_items_that_are_due(office):
    """The others stay in their places with the reason; the next run goes on where this one stopped."""
    limited = office.run(choice=RunChoice(limit=2, is_forced=False))
    assert office.questions == ["a", "b"]
    assert read_outcomes(limited) == ["accepted", "accepted", "skipped", "skipped"]
    assert limited.outputs[2].reason == BEYOND_LIMIT
    assert limited.plan.n_left_out == 2
    further = office.run(choice=RunChoice(limit=1, is_forced=False))
    assert office.questions == ["c"]
    assert read_outcomes(further) == ["accepted", "accepted", "accepted", "skipped"]
    office.run()
    assert office.questions == ["d"]


def count_calls(n_before: int) -> Script:
    """Answers that tell the first run's from the second's."""
    counter = iter(range(n_before, 1000))
    return lambda request: build_completion(f'{{"answer": "{next(counter)}"}}')


def test_a_forced_run_asks_anew_and_later_runs_keep_to_it(office):
    """Forcing pays once more for every item; what it brought counts from then on, until the next time."""
    office.script = count_calls(0)
    assert read_answers(office.run()) == ["0", "1", "2", "3"]
    assert read_answers(office.run(choice=FORCED)) == ["4", "5", "6", "7"]
    again = office.run()
    assert (office.questions, read_answers(again)) == ([], ["4", "5", "6", "7"])
    assert read_answers(office.run(choice=FORCED)) == ["8", "9", "10", "11"]
    assert {request.epoch for request in office.endpoint.requests} == {2}


def test_forcing_with_a_limit_takes_the_first_items_alone(office):
    """Items beyond the limit keep the answers they have."""
    office.script = count_calls(0)
    office.run()
    result = office.run(choice=RunChoice(limit=2, is_forced=True))
    assert office.questions == ["a", "b"]
    assert read_answers(result) == ["4", "5", "2", "3"]
    assert read_answers(office.run()) == ["4", "5", "2", "3"]
    assert office.questions == []


def test_a_forced_run_that_stops_goes_on_without_asking_again(office):
    """What a forced run had paid for before it was stopped counts; the next run asks for the rest only."""
    office.run()
    results = iter([build_completion(), build_fault("no_credit", http_status=402)])
    office.script = lambda _: next(results)
    with pytest.raises(ProviderError):
        office.run(choice=FORCED)
    office.script = echo
    office.run()
    assert office.questions == ["b", "c", "d"]


def test_a_run_that_stops_keeps_what_it_paid_for(office):
    """A hopeless endpoint ends the run with one error; the answers until then are on record."""

    def run_out(request: CallRequest) -> Completion | Fault:
        if request.messages[0].content in "ab":
            return echo(request)
        return build_fault("quota_exhausted", http_status=429)

    office.script = run_out
    with pytest.raises(ProviderError):
        office.run()
    assert office.observer.done[-1] == (2, 4)
    office.script = echo
    office.run()
    assert office.questions == ["c", "d"]


def test_failed_items_get_fresh_attempts_numbered_on(office):
    """A later run asks again for what was not accepted, as a further attempt, and never for what was."""
    office.script = lambda r: echo(r) if r.messages[0].content != "b" else build_completion("no")
    step = build_reading_step(attempts=2)
    assert read_outcomes(office.run(step=step)) == ["accepted", "invalid", "accepted", "accepted"]
    office.script = echo
    result = office.run(step=step)
    assert [request.attempt for request in office.endpoint.requests] == [3]
    assert read_outcomes(result) == ["accepted"] * 4
    assert [attempt.number for attempt in result.outputs[1].attempts] == [1, 2, 3]


def test_failed_items_are_left_alone_where_the_task_says_so(office):
    """With `retry_failed: false` an item whose attempts are used up keeps its end."""
    office.script = lambda _: build_completion("no JSON")
    step = build_reading_step(attempts=1, retry_failed=False)
    office.run(step=step)
    assert read_outcomes(office.run(step=step)) == ["invalid"] * 4
    assert office.questions == []


def test_a_call_that_brought_no_answer_is_due_again(office):
    """An item that failed by the provider's fault is asked again by the next run, as the same attempt."""
    answers = iter([echo, *[lambda _: build_fault("server_error")] * 2, echo, echo])
    office.limits = LimitSettings(progress_seconds=TICK_SECONDS, max_in_flight=1, fault_retries=1)
    office.script = lambda request: next(answers)(request)  # noqa: PLW0108 -- a new one for each
    first = office.run()
    assert read_outcomes(first) == ["accepted", "failed", "accepted", "accepted"]
    assert first.summary.faults == {"server_error": 2}
    office.script = echo
    office.run()
    assert office.questions == ["b"]
    assert office.endpoint.requests[0].attempt == 1


def test_time_is_taken_from_the_clock(office):
    """How long a run and its calls took is what the run's clock says."""
    office.latency_seconds = 2.0
    summary = office.run().summary
    assert summary.elapsed_seconds == 8.0
    assert (summary.latency_p50_seconds, summary.latency_p95_seconds) == (2.0, 2.0)


def test_the_end_is_shown(office):
    """Whoever watches a run sees its last state, all items done."""
    office.run()
    assert office.observer.done == [(4, 4)]


def test_progress_is_shown_while_a_run_goes_on(office):
    """At every tick of the clock the observer is told how far the run is, and never less than before."""
    office.clock = FakeClock(held_seconds=[llm_run.LIVE_SECONDS])
    office.limits = LimitSettings(progress_seconds=1.0, max_in_flight=1)
    office.run()
    done = [n_done for n_done, _ in office.observer.done]
    assert len(done) > 2
    assert done == sorted(done)
    assert done[-1] == 4


def test_a_run_without_items_is_over_at_once(office):
    """An empty batch has no outputs, sends nothing and costs nothing."""
    result = office.run(())
    assert (result.outputs, result.summary.calls_sent, result.summary.cost_usd) == ((), 0, 0)
    assert office.run((), FORCED).outputs == ()


def test_a_change_of_the_model_asks_for_everything(office):
    """Another model is another call."""
    office.run()
    step = build_reading_step()
    office.run(step=replace(step, settings=replace(step.settings, model="another")))
    assert office.questions == list(TEXTS)
