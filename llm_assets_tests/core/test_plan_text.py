from decimal import Decimal

import pytest

from llm_assets.core.plan import Plan
from llm_assets.core.plan_text import render_plan


def plan(n_items, n_to_run, *, n_calls=0, n_left_out=0, cost: str | None = "0.02", rough=False):
    return Plan(
        n_items=n_items,
        n_answered=n_items - n_to_run - n_left_out,
        n_to_run=n_to_run,
        n_left_out=n_left_out,
        n_calls_to_send=n_calls,
        n_calls_reused=0,
        expected_cost_usd=None if cost is None else Decimal(cost),
        is_approximate=rough,
    )


@pytest.mark.parametrize(
    ("planned", "text"),
    [
        (plan(45, 0, cost="0"), "45 items: 45 answered already, 0 to run"),
        (
            plan(45, 15, n_calls=14),
            "45 items: 30 answered already, 15 to run in 14 calls or more; expected cost about $0.02",
        ),
        (
            plan(45, 10, n_calls=10, n_left_out=35, rough=True),
            "45 items: 0 answered already, 10 to run in 10 calls or more, 35 beyond the limit; expected cost about $0.02 (tokens counted approximately)",
        ),
        (
            plan(2, 2, n_calls=2, cost=None),
            "2 items: 0 answered already, 2 to run in 2 calls or more; expected cost unknown: the model has no known price, set `llm.price`",
        ),
        (plan(5, 0, n_left_out=5), "5 items: 0 answered already, 0 to run, 5 beyond the limit"),
    ],
)
def test_plan_in_a_line(planned, text):
    """A plan says what runs, what is left out, and what it costs, unknown where that is not known."""
    assert render_plan(planned) == text
