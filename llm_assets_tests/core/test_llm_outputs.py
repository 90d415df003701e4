from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from llm_assets.core.ids import CallKey, RowId, Sha256, WorkId
from llm_assets.core.llm_outputs import (
    OUTCOMES,
    TEXT_LEVEL,
    Attempt,
    HookRecord,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    build_totals,
    count_outcomes,
    fingerprint_outputs,
)
from llm_assets_tests.core.builders import NOON


def attempt(key, *, cost: str | None = "0.1", n_tokens=5, is_approximate=False):
    return Attempt(
        number=1,
        purpose="generate",
        call_key=CallKey(key),
        finish_reason="stop",
        problem=None,
        is_repaired=False,
        prompt_tokens=10 * n_tokens,
        completion_tokens=n_tokens,
        cached_tokens=1,
        is_approximate=is_approximate,
        cost_usd=None if cost is None else Decimal(cost),
        answered_at=NOON,
    )


def record(*attempts, outcome: Outcome = "accepted", number=1, output=None, reason=None):
    return ItemOutput(
        work_id=WorkId(f"w{number}"),
        row_ids=(RowId(f"r{number}"),),
        group_key=None,
        group_context_id=None,
        outcome=outcome,
        output={"label": "x"} if output is None and outcome == "accepted" else output,
        verdict=None,
        reason=reason,
        attempts=attempts,
        accepted_at=NOON,
    )


def outputs(*records):
    meta = LLMOutputsMeta(
        endpoint="offline",
        model="m-1",
        is_rehearsal=True,
        prompt_path="p.yaml",
        prompt_sha256=Sha256("p"),
        schema_sha256=Sha256("s"),
        judge_model=None,
        judge_prompt_sha256=None,
        structured_output="prompt",
        parameters={},
        totals=build_totals(records),
    )
    return LLMOutputs(meta=meta, records=records)


def test_every_outcome_is_counted():
    """Outcomes that did not occur are there with 0, so that none is overlooked."""
    counts = count_outcomes([record(), record(outcome="invalid"), record()])
    assert list(counts) == list(OUTCOMES)
    assert (counts["accepted"], counts["invalid"], sum(counts.values())) == (2, 1, 3)


def test_totals_are_exact_sums():
    """Tokens and dollars of all attempts add up without a rounding error."""
    records = [record(*(attempt(f"{item}-{number}") for number in range(3))) for item in range(100)]
    totals = build_totals(records)
    assert (totals.n_items, totals.n_calls) == (100, 300)
    assert (totals.prompt_tokens, totals.completion_tokens) == (15_000, 1_500)
    assert (totals.cached_tokens, totals.cost_usd) == (300, Decimal("30.0"))


def test_shared_call_is_paid_once():
    """Equal items that share a call do not add its tokens and cost twice."""
    totals = build_totals([record(attempt("a")), record(attempt("a"), attempt("b"))])
    assert (totals.n_calls, totals.completion_tokens, totals.cost_usd) == (2, 10, Decimal("0.2"))


def test_unknown_price_is_counted_and_not_free():
    """Calls without a price are told, and the rest is summed."""
    totals = build_totals([record(attempt("a", cost=None)), record(attempt("b", cost="0"))])
    assert (totals.n_calls_unpriced, totals.cost_usd) == (1, Decimal(0))


def test_one_approximate_count_makes_the_sum_approximate():
    """A sum with an estimate in it says so."""
    exact = record(attempt("a"))
    assert not build_totals([exact]).tokens_are_approximate
    assert build_totals([exact, record(attempt("b", is_approximate=True))]).tokens_are_approximate


def test_no_items_have_totals():
    """An empty batch sums up to nothing."""
    totals = build_totals([])
    assert (totals.n_items, totals.n_calls, totals.cost_usd) == (0, 0, Decimal(0))


def test_times_and_costs_are_no_change():
    """An answer that was fetched again and is the same leaves everything downstream fresh."""
    one = record(attempt("a"))
    again = replace(
        record(attempt("b", cost=None, n_tokens=9)), accepted_at=NOON + timedelta(days=1)
    )
    assert fingerprint_outputs(outputs(one)) == fingerprint_outputs(outputs(again))


@pytest.mark.parametrize(
    "changed",
    [
        (record(output={"label": "y"}),),
        (record(outcome="invalid", reason="no"),),
        (record(number=2),),
        (record(), record()),
        (),
    ],
)
def test_items_and_outputs_are_a_change(changed):
    """Another output, outcome, item or number of items makes later stages stale."""
    assert fingerprint_outputs(outputs(*changed)) != fingerprint_outputs(outputs(record()))


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "m-2"},
        {"is_rehearsal": False},
        {"structured_output": TEXT_LEVEL},
        {"hooks": (HookRecord(kind="scorer", name="a.py:b", source_sha256=Sha256("h")),)},
    ],
)
def test_what_an_export_says_of_all_answers_is_a_change(changed: dict[str, object]):
    """The same outputs of another model, no longer a rehearsal or with scores make an export stale."""
    before = outputs(record())
    after = replace(before, meta=before.meta.model_copy(update=changed))
    assert fingerprint_outputs(after) != fingerprint_outputs(before)


def test_what_no_export_says_of_the_answers_is_no_change():
    """Other parameters and another prompt that give the same outputs leave everything downstream fresh."""
    before = outputs(record())
    changed = {"parameters": {"temperature": 1}, "prompt_sha256": Sha256("q")}
    after = replace(before, meta=before.meta.model_copy(update=changed))
    assert fingerprint_outputs(after) == fingerprint_outputs(before)


def test_another_verdict_is_a_change():
    """The judge's words are part of what an export and a report show."""
    judged = [replace(record(), verdict={"reason": reason}) for reason in ("fine", "well done")]
    assert len({fingerprint_outputs(outputs(item)) for item in judged}) == 2


def test_order_is_a_change():
    """Item order is part of what an export shows."""
    one, two = record(number=1), record(number=2)
    assert fingerprint_outputs(outputs(one, two)) != fingerprint_outputs(outputs(two, one))
