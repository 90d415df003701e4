from decimal import Decimal

import pytest

from llm_assets.core.spend import Spend, add_spends


def build_spend(cost: str = "0", **changes: int) -> Spend:
    counts = {
        "n_answers": 1,
        "n_faults": 0,
        "n_unpriced": 0,
        "n_maybe_charged": 1,
        "prompt_tokens": 10,
        "cached_tokens": 4,
        "completion_tokens": 5,
        **changes,
    }
    return Spend(
        name="2026-03-01", cost_usd=Decimal(cost), first_at="2026-03-01T12:00:00", **counts
    )


def test_sums_are_exact():
    """A million of cents' fractions add up to the last digit."""
    parts = [build_spend("0.0000001")] * 10 + [build_spend("0.30000000000000000001", n_faults=2)]
    total = add_spends("total", parts)
    assert total.cost_usd == Decimal("0.30000100000000000001")
    assert (total.n_calls, total.n_answers, total.n_faults) == (13, 11, 2)
    assert (total.prompt_tokens, total.cached_tokens, total.completion_tokens) == (110, 44, 55)


def test_nothing_adds_up_to_nothing():
    """Without calls there is nothing unknown either."""
    total = add_spends("total", ())
    assert (total.n_calls, total.is_cost_known, total.render_cost()) == (0, True, "$0.00")


@pytest.mark.parametrize(
    ("spend", "shown", "cost"),
    [
        (build_spend("0.5"), "$0.50", "0.5"),
        (build_spend("0"), "$0.00", "0"),
        (build_spend("0", n_unpriced=1), "unknown", None),
        (
            build_spend("0.5", n_answers=2, n_maybe_charged=2, n_unpriced=1),
            "at least $0.50 (price of 1 call unknown)",
            "0.5",
        ),
        (build_spend("0", n_answers=0, n_faults=3, n_maybe_charged=0), "$0.00", "0"),
    ],
)
def test_an_unknown_cost_is_never_zero(spend, shown, cost):
    """What is not known is said to be so, to people and to scripts; faults that nobody charges for cost nothing."""
    assert spend.render_cost() == shown
    record = spend.build_record()
    assert record["cost_usd"] == cost
    assert record["cost_is_known"] is (spend.n_unpriced == 0)
