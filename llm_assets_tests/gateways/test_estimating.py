from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from llm_assets.config.endpoint import PRESETS
from llm_assets.core.calls import CallSettings, Message, Purpose, Usage
from llm_assets.core.ids import TaskName
from llm_assets.core.item_replay import replay_items
from llm_assets.core.plan_calls import count_calls
from llm_assets.core.plan_cost import Estimate
from llm_assets.core.plan_reasons import Reason
from llm_assets.core.step import Step
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.estimating import SAMPLED_PROMPTS, Estimator, StepCalls
from llm_assets.gateways.ledger.ledger import Ledger, open_ledger
from llm_assets.gateways.task_steps import ConnectedStep
from llm_assets_tests.core.builders import build_item
from llm_assets_tests.core.judges import build_judged_step
from llm_assets_tests.fakes import (
    ORIGIN,
    build_answer,
    build_items,
    build_reading_step,
    build_record,
    build_request,
    put_records,
)

TRIAGE = TaskName("triage")
CENT_A_TOKEN = Decimal("0.01")


@pytest.fixture
def ledger(tmp_path) -> Iterator[Ledger]:
    """A new ledger."""
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


def connect(name: str) -> Connection:
    return Connection(
        name=name,
        endpoint=PRESETS["offline"],
        base_url="http://offline.invalid/v1",
        api_key=None,
        compute_cost=lambda usage: CENT_A_TOKEN * usage.completion_tokens,
    )


def estimate(ledger: Ledger, *, step: Step | None = None, items=None) -> Estimate:
    step = step or build_reading_step()
    due = replay_items(step, items or build_items(["Hello there."]), ledger.find_answers)
    reasons: list[Reason] = ["new"] * len(due)
    connected = ConnectedStep(
        step=step, connections={"generate": connect("office"), "judge": connect("court")}
    )
    calls = StepCalls(due=due, counts=count_calls(step, due, reasons))
    return Estimator(task=TRIAGE, ledger=ledger).estimate([(connected, calls)])


def put_answer(
    ledger: Ledger,
    n_tokens: int,
    *,
    settings: CallSettings | None = None,
    n_added: int = 0,
    task: str = "triage",
    purpose: Purpose = "generate",
) -> None:
    """An answer of so many tokens, whose prompt the provider counted this much longer than we do."""
    text = f"Please say {n_tokens}."
    request = build_request(
        messages=[Message(role="user", content=text)],
        settings=settings or build_reading_step().settings,
    )
    usage = Usage(
        prompt_tokens=count_tokens_approximately(text) + n_added, completion_tokens=n_tokens
    )
    record = build_record(request, build_answer(request.build_key(), usage=usage), task=task)
    origin = replace(ORIGIN, settings_sha256=request.settings.fingerprint)
    put_records(ledger, [replace(record, purpose=purpose, origin=origin)])


def test_the_tasks_own_answers_come_first(ledger):
    """Lengths are those of this task; those of another one do where it has none; else they are guessed."""
    assert estimate(ledger).is_guess
    put_answer(ledger, 400, task="other")
    borrowed = estimate(ledger)
    assert (borrowed.is_guess, borrowed.completion_tokens.likely) == (False, 400)
    put_answer(ledger, 30)
    assert estimate(ledger).completion_tokens.likely == 30


def test_another_models_answers_say_nothing(ledger):
    """A model is judged by its own answers."""
    settings = replace(build_reading_step().settings, model="other")
    put_answer(ledger, 400, settings=settings)
    assert estimate(ledger).is_guess


def test_what_a_provider_adds_is_learned(ledger):
    """Prompts are expected to be charged for as earlier ones with the same settings were, however ours are counted."""
    n_counted = count_tokens_approximately("Hello there.")
    for n_added in (90, 110):
        put_answer(ledger, n_added, n_added=n_added)
    assert estimate(ledger).prompt_tokens.likely == n_counted + 100
    changed = replace(build_reading_step().settings, parameters={"temperature": 1.0})
    step = replace(build_reading_step(), settings=changed)
    assert estimate(ledger, step=step).prompt_tokens.likely < n_counted + 90


def test_a_sample_stands_for_all(ledger):
    """Of many prompts of equal length a part is counted, and the sum is that of all."""
    few = estimate(ledger, items=build_items(["Row 100."])).prompt_tokens.likely
    texts = [f"Row {n}." for n in range(100, 100 + SAMPLED_PROMPTS + 50)]
    assert estimate(ledger, items=build_items(texts)).prompt_tokens.likely == few * len(texts)


def test_nothing_due_takes_nothing(ledger):
    """Without calls nothing is looked up and nothing is guessed."""
    step = build_reading_step()
    connected = ConnectedStep(step=step, connections={})
    calls = StepCalls(due=(), counts=count_calls(step, (), ()))
    nothing = Estimator(task=TRIAGE, ledger=ledger).estimate([(connected, calls)])
    assert (nothing.prompt_tokens.high, nothing.is_guess, nothing.is_approximate) == (
        0,
        False,
        False,
    )


def test_verdicts_have_lengths_of_their_own(ledger):
    """Answers and verdicts are added up, each by its own past; without one of the two, it is a guess."""
    step = build_judged_step()
    assert step.judge is not None
    put_answer(ledger, 30, settings=step.settings)
    assert estimate(ledger, step=step, items=[build_item()]).is_guess
    put_answer(ledger, 7, settings=step.judge.settings, purpose="judge")
    both = estimate(ledger, step=step, items=[build_item()])
    assert (both.is_guess, both.completion_tokens.likely) == (False, 37)
    assert both.cost_usd is not None
    assert both.cost_usd.likely_usd == 37 * CENT_A_TOKEN
