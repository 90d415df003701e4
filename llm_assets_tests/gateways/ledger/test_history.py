from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_assets.core.calls import Usage
from llm_assets.core.ids import BatchKey, RowId, Sha256, TaskName, WorkId
from llm_assets.core.spend import add_spends
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.ledger.reading import KEYS_PER_QUERY
from llm_assets_tests.fakes import (
    NOON,
    ORIGIN,
    build_answer,
    build_fault,
    build_record,
    build_request,
    build_settings,
    put_records,
)

TRIAGE, MARCH = TaskName("triage"), BatchKey("march")


def record(text: str = "a", *, work: str = "w1", row: str = "r1", prompt: str = "p", **changes):
    """A call on record, in most ways like the others."""
    request = build_request(text)
    origin = replace(ORIGIN, work_id=WorkId(work), row_id=RowId(row), prompt_sha256=Sha256(prompt))
    made = build_record(request, changes.pop("result", None))
    return replace(made, origin=origin, **changes)


def find_prompts(ledger, work_ids=("w1",), **changes):
    where = {"task": TRIAGE, "purpose": "generate", **changes}
    found = ledger.history.find_latest_calls(map(WorkId, work_ids), **where)
    return {work_id: (call.prompt_sha256, call.is_answered) for work_id, call in found.items()}


def test_the_latest_call_of_an_item_is_found(ledger):
    """Of several calls of an item the last one counts, answered or not; other items and tasks are none of it."""
    put_records(ledger, [record(prompt="old"), record(work="w2", prompt="second")])
    put_records(ledger, [record("b", prompt="new")])
    put_records(ledger, [record(task=TaskName("other"), prompt="foreign")])
    assert find_prompts(ledger, ("w1", "w2", "w3")) == {"w1": ("new", True), "w2": ("second", True)}
    put_records(ledger, [record("c", prompt="newest", result=build_fault())])
    assert find_prompts(ledger) == {"w1": ("newest", False)}


def test_a_judge_has_calls_of_its_own(ledger):
    """The latest call is that of one purpose."""
    put_records(ledger, [record(prompt="asks")])
    put_records(ledger, [record(prompt="judges", purpose="judge")])
    assert find_prompts(ledger) == {"w1": ("asks", True)}
    assert find_prompts(ledger, purpose="judge") == {"w1": ("judges", True)}


def test_more_items_than_fit_into_a_query(ledger):
    """Items are looked up however many there are."""
    names = [f"w{n}" for n in range(2 * KEYS_PER_QUERY + 1)]
    put_records(ledger, [record(name, work=name, prompt=name) for name in names])
    assert find_prompts(ledger, names) == {name: (name, True) for name in names}
    assert find_prompts(ledger, ()) == {}


def test_rows_are_known_by_batch(ledger):
    """The row 1 of another batch or task is another row."""
    put_records(
        ledger,
        [
            record(row="1"),
            record("b", row="2", result=build_fault()),
            record("c", row="3", batch=BatchKey("april")),
            record("d", row="4", task=TaskName("other")),
        ],
    )
    wanted = [RowId(str(n)) for n in range(5)]
    assert ledger.history.find_rows(wanted, task=TRIAGE, batch=MARCH) == {"1", "2"}
    assert ledger.history.find_rows([], task=TRIAGE, batch=MARCH) == frozenset()


def test_past_answers_are_those_of_a_model(ledger):
    """The latest answers come first: those of a task or of all, of one model and purpose, and no faults."""

    def put(n_tokens: int, *, model: str = "extractive", **changes):
        request = build_request(str(n_tokens), settings=build_settings(model=model))
        usage = Usage(prompt_tokens=1, completion_tokens=n_tokens, cached_tokens=1)
        made = build_record(request, build_answer(request.build_key(), usage=usage))
        put_records(ledger, [replace(made, **changes)])

    for n_tokens in (1, 2, 3):
        put(n_tokens)
    put(4, model="other")
    put(5, purpose="judge")
    put(6, task=TaskName("other"))
    put_records(ledger, [record("fault", result=build_fault())])

    def list_lengths(**where):
        given = {"purpose": "generate", "model": "extractive", "limit": 9, **where}
        return [past.completion_tokens for past in ledger.history.list_past_answers(**given)]

    assert list_lengths(task=TRIAGE) == [3, 2, 1]
    assert list_lengths(task=TRIAGE, limit=2) == [3, 2]
    assert list_lengths() == [6, 3, 2, 1]
    assert list_lengths(purpose="judge") == [5]
    assert list_lengths(model="unheard of") == []
    (past,) = ledger.history.list_past_answers(
        purpose="judge", model="extractive", limit=1, task=TRIAGE
    )
    assert (past.prompt_tokens, past.cached_tokens, past.attempt) == (1, 1, 1)
    assert ledger.load_messages(past.key)[0].content == "5"


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("day", ["2026-11-20", "2026-11-21"]),
        ("task", ["triage", "notes"]),
        ("run", ["run-1", "run-2"]),
        ("model", ["offline/extractive", "office/large"]),
    ],
)
def test_spend_is_added_up_by_what_is_asked(ledger, by, names):
    """Sums come in the order of their first calls, and every call is in one of them."""
    later = NOON + timedelta(days=1)
    large = build_request("b", settings=build_settings(model="large"))
    other = replace(
        build_record(large, task="notes"), run_id="run-2", endpoint="office", recorded_at=later
    )
    put_records(ledger, [other, record(), record("c", purpose="judge")])
    spends = ledger.history.sum_spend(by, since=None)
    assert [(spend.name, spend.n_calls) for spend in spends] == [(names[0], 2), (names[1], 1)]
    assert add_spends("total", spends).cost_usd == Decimal("0.03")
    assert [spend.name for spend in ledger.history.sum_spend(by, since=later.date())] == names[1:]
    assert ledger.history.sum_spend(by, since=later.date() + timedelta(days=1)) == ()


def test_the_day_of_a_call_is_that_of_its_first_moment(ledger):
    """A call at midnight belongs to the day that begins."""
    midnight = NOON.replace(hour=0)
    put_records(ledger, [record(recorded_at=midnight)])
    assert len(ledger.history.sum_spend("day", since=date(2026, 11, 20))) == 1


def test_faults_cost_nothing_unless_nobody_knows(ledger):
    """A refused call is free; one that timed out may have been charged for, and an unpriced answer was."""
    results = [build_fault("rate_limited"), build_fault("timed_out")]
    put_records(ledger, [record(str(n), result=result) for n, result in enumerate(results)])
    (spend,) = ledger.history.sum_spend("task", since=None)
    assert (spend.n_calls, spend.n_answers, spend.n_faults, spend.n_unpriced) == (2, 0, 2, 1)
    assert spend.render_cost() == "unknown"
    request = build_request("b")
    put_records(
        ledger, [record(), build_record(request, build_answer(request.build_key(), cost_usd=None))]
    )
    (spend,) = ledger.history.sum_spend("task", since=None)
    assert (spend.n_unpriced, spend.cost_usd) == (2, Decimal("0.01"))
    assert spend.render_cost() == "at least $0.01 (price of 2 calls unknown)"


@given(
    amounts=st.lists(
        st.decimals(min_value=0, max_value=100, places=14, allow_nan=False), min_size=1, max_size=20
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_spend_is_exact(ledger_url, amounts):
    """The sum is that of the decimals, to the last digit, also of digits beyond those a database counts."""
    with open_ledger(ledger_url) as ledger:
        before = add_spends("", ledger.history.sum_spend("task", since=None)).cost_usd
        requests = [build_request(str(n)) for n in range(len(amounts))]
        put_records(
            ledger,
            [
                build_record(request, build_answer(request.build_key(), cost_usd=amount))
                for request, amount in zip(requests, amounts, strict=True)
            ],
        )
        after = add_spends("", ledger.history.sum_spend("day", since=None)).cost_usd
    assert after - before == sum(amounts, Decimal(0))
