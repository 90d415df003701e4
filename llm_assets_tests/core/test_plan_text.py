import pytest

from llm_assets.core.plan_reasons import REASONS
from llm_assets.core.plan_text import build_plan_record, render_plan, render_reason
from llm_assets_tests.core.plans import build_plan_of

COST = "expected cost about $0.02 ($0.01 to $0.05); about 1,200 (1,000 to 2,500) tokens"


@pytest.mark.parametrize(
    ("planned", "text"),
    [
        (build_plan_of(), "45 items: 45 answered already, 0 to run"),
        (
            build_plan_of({"new": 10, "prompt_changed": 5}),
            f"45 items: 30 answered already, 15 to run (10 new, 5 prompt changed) in 15 calls or more; {COST}",
        ),
        (
            build_plan_of({"new": 1}, n_following=1),
            f"45 items: 44 answered already, 1 to run (1 new) in 1 call or more and 1 verdict; {COST}",
        ),
        (
            build_plan_of({"forced": 10}, n_left_out=35, is_approximate=True),
            (
                "45 items: 0 answered already, 10 to run (10 forced) in 10 calls or more, 35 beyond the limit; "
                f"{COST} (tokens counted approximately)"
            ),
        ),
        (
            build_plan_of({"settings_changed": 1}, is_guess=True, is_approximate=True),
            (
                "45 items: 44 answered already, 1 to run (1 model or parameters changed) in 1 call or more; "
                f"{COST} (answer lengths guessed, tokens counted approximately)"
            ),
        ),
        (
            build_plan_of({"new": 2}, n_items=2, cost=None),
            (
                "2 items: 0 answered already, 2 to run (2 new) in 2 calls or more; expected cost unknown: "
                "the model has no known price, set `llm.price`; about 1,200 (1,000 to 2,500) tokens"
            ),
        ),
        (
            build_plan_of({"new": 2}, n_items=2, cost=("0", "0", "0")),
            (
                "2 items: 0 answered already, 2 to run (2 new) in 2 calls or more; expected cost about $0.00; "
                "about 1,200 (1,000 to 2,500) tokens"
            ),
        ),
        (
            build_plan_of(n_items=5, n_left_out=5),
            "5 items: 0 answered already, 0 to run, 5 beyond the limit",
        ),
        (
            build_plan_of(n_items=5, n_without_call=2),
            "5 items: 3 answered already, 2 need no call, 0 to run",
        ),
        (
            build_plan_of(n_items=1, n_without_call=1),
            "1 items: 0 answered already, 1 needs no call, 0 to run",
        ),
    ],
)
def test_plan_in_a_line(planned, text):
    """A plan says what runs and why, what is left out, and what it costs, unknown where that is not known."""
    assert render_plan(planned) == text


def test_every_reason_has_words():
    """No reason is shown as it is spelled in code."""
    assert [reason for reason in REASONS if "_" in render_reason(reason)] == []


def test_plan_for_scripts():
    """Amounts keep every digit as text, and an unknown cost is no number."""
    record = build_plan_record(
        build_plan_of({"new": 2}, cost=("0.1", "0.30000000000000000001", "1"))
    )
    assert record["cost_usd"] == {"low": "0.1", "likely": "0.30000000000000000001", "high": "1"}
    assert record["reasons"] == {"new": 2}
    assert (record["items"], record["answered"], record["to_run"], record["left_out"]) == (
        45,
        43,
        2,
        0,
    )
    assert build_plan_record(build_plan_of({"new": 2}, cost=None))["cost_usd"] is None
    assert build_plan_record(build_plan_of(n_without_call=2))["without_call"] == 2
