import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.task import BudgetSettings, LimitSettings
from llm_assets.core.calls import CallRequest, Fault
from llm_assets.core.completions import Completion
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.step import Step
from llm_assets.gateways import llm_run
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.llm_run import LLMRun, RunResult
from llm_assets.gateways.task_steps import ConnectedStep
from llm_assets_tests.core.chains import FIRST, SECOND, THIRD, build_chain_steps
from llm_assets_tests.fakes import (
    CENT,
    IDENTITY,
    FakeClock,
    FakeEndpoint,
    RecordingObserver,
    Script,
    build_completion,
    build_items,
)

ALL = RunChoice(limit=None, is_forced=False)
FORCED = RunChoice(limit=None, is_forced=True)
TEXTS = ("a", "b", "c", "d")
TICKS = (5.0, llm_run.LIVE_SECONDS)
LIMITS = LimitSettings(progress_seconds=5.0, max_in_flight=2, fault_retries=1)
COLUMNS = ("text",)


def echo(request: CallRequest) -> Completion | Fault:
    """A label that repeats the question."""
    return build_completion(json.dumps({"label": f"<{request.messages[0].content}>"}))


@dataclass(kw_only=True)
class Office:
    """Everything that runs over one ledger share, with the calls of the latest run."""

    url: str
    monkeypatch: pytest.MonkeyPatch
    script: Script = echo
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    endpoint: FakeEndpoint = field(default_factory=lambda: FakeEndpoint([]))
    observer: RecordingObserver = field(default_factory=RecordingObserver)

    def run(
        self, choice: RunChoice = ALL, *, texts=TEXTS, steps: list[Step] | None = None, given=()
    ) -> RunResult:
        endpoint = self.endpoint = FakeEndpoint(self.script)
        self.observer = RecordingObserver()

        @asynccontextmanager
        async def open_fake(connection, *, timeout_seconds, load_image):
            yield endpoint

        self.monkeypatch.setattr(llm_run, "open_endpoint_client", open_fake)
        connection = Connection(
            name="office",
            endpoint=PRESETS["offline"],
            base_url="http://offline.invalid/v1",
            api_key=None,
            compute_cost=lambda _: CENT,
        )
        steps = steps or build_chain_steps(columns=COLUMNS, attempts=1)
        with open_ledger(self.url) as ledger:
            run = LLMRun(
                steps=[
                    ConnectedStep(step=step, connections={"generate": connection}) for step in steps
                ],
                identity=IDENTITY,
                limits=LIMITS,
                budget=self.budget,
                ledger=ledger,
                clock=FakeClock(held_seconds=TICKS),
                observer=self.observer,
            )
            return run.finish_batch(build_items(texts), choice, given=given)

    @property
    def asked(self) -> list[str]:
        """Which step each call was of, in the order of the steps."""
        return sorted(request.settings.model for request in self.endpoint.requests)


@pytest.fixture
def office(tmp_path, monkeypatch) -> Office:
    """A ledger in which nothing is, and an endpoint that echoes."""
    return Office(url=f"sqlite:///{tmp_path}/ledger.sqlite", monkeypatch=monkeypatch)


def read_outcomes(result: RunResult):
    return [output.outcome for output in result.outputs]


def test_a_chain_is_finished_and_joined(office: Office):
    """Each step has an output for every item; the joined ones hold all of them, and the sums are those of the calls."""
    result = office.run()
    assert office.asked == ["first"] * 4 + ["second"] * 4 + ["third"] * 4
    assert [len(outputs) for outputs in result.by_step] == [4, 4, 4]
    assert read_outcomes(result) == ["accepted"] * 4
    output = result.outputs[1].output
    assert output is not None
    assert output["second"] == {"label": "<second: <first: b> of b>"}
    summary = result.summary
    assert (summary.calls_sent, summary.cost_usd) == (12, 12 * CENT)
    assert [(step.name, step.calls_sent, step.cost_usd) for step in summary.steps] == [
        (FIRST, 4, 4 * CENT),
        (SECOND, 4, 4 * CENT),
        (THIRD, 4, 4 * CENT),
    ]


def test_a_plan_says_what_it_knows_and_what_it_expects(office: Office):
    """Before a first run only the first step's calls are known; each item is expected to make the others."""
    plan = office.run().plan
    assert plan.reasons == (("new", 4),)
    assert plan.n_calls_to_send == 12
    assert [(each.step, each.calls.n_generate, each.n_waiting) for each in plan.steps] == [
        (FIRST, 4, 0),
        (SECOND, 4, 4),
        (THIRD, 4, 4),
    ]
    estimate = plan.estimate
    assert estimate.is_guess
    assert estimate.cost_usd is not None
    assert estimate.cost_usd.low_usd <= 12 * CENT <= estimate.cost_usd.high_usd
    second = office.run().plan
    assert (second.n_answered, second.n_calls_to_send, second.n_calls_reused) == (4, 0, 12)


def test_a_changed_last_prompt_is_known_exactly(office: Office):
    """Only the last step is due, for its prompt, and the plan counts no expected calls."""
    office.run()
    changed = build_chain_steps(
        columns=COLUMNS, attempts=1, prompts={THIRD: "anew: {{ steps.second.label }}"}
    )
    result = office.run(steps=changed)
    assert office.asked == ["third"] * 4
    assert result.plan.reasons == (("prompt_changed", 4),)
    assert [each.calls.n_generate for each in result.plan.steps] == [0, 0, 4]
    assert result.plan.calls.n_expected == 0
    assert result.summary.calls_reused == 8


def test_a_changed_answer_makes_the_steps_after_it_due(office: Office):
    """Where a first step answers otherwise, later steps are asked anew for that reason; where not, they are not."""
    office.run()
    office.script = lambda request: (
        build_completion('{"label": "<first: a>"}')
        if request.settings.model == "first"
        else echo(request)
    )
    changed = build_chain_steps(columns=COLUMNS, attempts=1, prompts={FIRST: "1st: {{ text }}"})
    result = office.run(steps=changed)
    assert result.plan.reasons == (("prompt_changed", 4),)
    # The first item gets the answer that it had before.
    assert office.asked == ["first"] * 4 + ["second"] * 3 + ["third"] * 3
    assert (result.summary.calls_sent, result.summary.calls_reused) == (10, 2)


def test_another_answer_is_the_reason_of_a_later_step(office: Office):
    """A plan tells a step whose input has changed from one whose prompt has."""
    office.run()
    changed = build_chain_steps(columns=COLUMNS, attempts=1, prompts={FIRST: "1st: {{ text }}"})
    office.run(steps=changed[:1])
    plan = office.run(steps=changed).plan
    assert office.asked == ["second"] * 4 + ["third"] * 4
    assert plan.reasons == (("upstream_changed", 4),)
    assert [each.reasons for each in plan.steps] == [(), (("upstream_changed", 4),), ()]
    assert [each.n_waiting for each in plan.steps] == [0, 0, 4]


def test_a_limit_takes_items_through_all_steps(office: Office):
    """The first items that are due run to their ends; the others are left out, and blocked where they wait."""
    result = office.run(RunChoice(limit=2, is_forced=False))
    assert office.asked == ["first"] * 2 + ["second"] * 2 + ["third"] * 2
    assert read_outcomes(result) == ["accepted", "accepted", "skipped", "skipped"]
    assert [outputs[3].outcome for outputs in result.by_step] == ["skipped", "blocked", "blocked"]
    assert result.plan.n_left_out == 2
    office.run()
    assert office.asked == ["first"] * 2 + ["second"] * 2 + ["third"] * 2


def count_calls(start: int) -> Script:
    """Answers that tell the first run's from the second's."""
    numbers = iter(range(start, 10_000))
    return lambda _: build_completion(json.dumps({"label": str(next(numbers))}))


@pytest.mark.parametrize("is_new", [False, True])
def test_a_forced_run_asks_every_step_anew(office: Office, is_new: bool):  # noqa: FBT001 -- a parameter
    """Once each, whether the model answers the same again or something else; later runs keep to it."""
    office.script = count_calls(0) if is_new else echo
    office.run()
    for _ in range(2):
        forced = office.run(FORCED)
        assert office.asked == ["first"] * 4 + ["second"] * 4 + ["third"] * 4
        again = office.run()
        assert office.asked == []
        assert again.outputs == forced.outputs


def test_forcing_meets_an_older_answer(office: Office):
    """A forced first step may say what it said long ago; the later step is asked anew all the same."""
    labels = iter("xyx")
    office.script = lambda request: build_completion(
        json.dumps({"label": next(labels) if request.settings.model == "first" else "z"})
    )
    for choice in (ALL, FORCED, FORCED):
        office.run(choice, texts=("a",))
        assert office.asked == ["first", "second", "third"]


def test_forcing_with_a_limit_takes_the_first_items_alone(office: Office):
    """Items beyond the limit keep the answers they have, in every step."""
    office.run()
    office.run(RunChoice(limit=1, is_forced=True))
    assert office.asked == ["first", "second", "third"]
    office.run()
    assert office.asked == []


def test_one_step_runs_alone(office: Office):
    """It takes what was stored of the steps before it, asks its own calls, and joins with what is there."""
    whole = office.run()
    given = [
        {FIRST: first, SECOND: second}
        for first, second in zip(whole.by_step[0], whole.by_step[1], strict=True)
    ]
    last = build_chain_steps(
        columns=COLUMNS, attempts=1, prompts={THIRD: "anew: {{ steps.second.label }}"}
    )[2:]
    result = office.run(steps=last, given=given)
    assert office.asked == ["third"] * 4
    assert len(result.by_step) == 1
    output = result.outputs[0].output
    assert output is not None
    assert list(output) == [FIRST, SECOND, THIRD]
    assert [step.name for step in result.summary.steps] == [THIRD]
    forced = office.run(FORCED, steps=last, given=given)
    assert office.asked == ["third"] * 4
    assert forced.summary.outcomes["accepted"] == 4


def test_a_budget_holds_for_all_steps_together(office: Office):
    """The cap counts every step's calls; an item that it stops is over budget there, and goes on next time."""
    office.budget = BudgetSettings(per_run_usd=Decimal("0.05"))
    steps = build_chain_steps(columns=COLUMNS, attempts=1)
    result = office.run(steps=steps)
    assert result.summary.cost_usd <= Decimal("0.05")
    assert result.summary.outcomes["over_budget"] > 0
    stopped = [output for output in result.outputs if output.outcome == "over_budget"]
    assert all(output.stopped_at is not None for output in stopped)
    office.budget = BudgetSettings()
    assert read_outcomes(office.run(steps=steps)) == ["accepted"] * 4
    total = len(office.endpoint.requests) + result.summary.calls_sent
    assert total == 12


def test_a_failed_item_is_tried_again_where_it_failed(office: Office):
    """The next run asks the step that brought no answer, and then those after it."""
    office.script = lambda request: (
        build_completion("no JSON")
        if request.messages[0].content.startswith("second: <first: b>")
        else echo(request)
    )
    result = office.run()
    assert read_outcomes(result) == ["accepted", "invalid", "accepted", "accepted"]
    assert result.outputs[1].stopped_at == SECOND
    office.script = echo
    result = office.run()
    assert office.asked == ["second", "third"]
    assert result.plan.reasons == (("failed_before", 1),)
    assert [attempt.number for attempt in result.by_step[1][1].attempts] == [1, 2]


def test_a_run_without_items_is_over_at_once(office: Office):
    """An empty batch has no outputs in any step."""
    result = office.run(texts=())
    assert (result.outputs, result.by_step) == ((), ((), (), ()))
