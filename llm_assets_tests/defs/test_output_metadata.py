from decimal import Decimal

import pytest

from llm_assets.core.calls import FaultKind
from llm_assets.core.llm_outputs import OUTCOMES, Outcome, Totals
from llm_assets.core.run_summary import RunSummary
from llm_assets.defs.output_metadata import describe_plan, describe_run, describe_totals
from llm_assets_tests.core.plans import build_plan_of


def build_totals(n_unpriced: int = 0, **outcomes: int) -> Totals:
    counts: dict[Outcome, int] = {name: outcomes.get(name, 0) for name in OUTCOMES}
    return Totals(
        n_items=sum(counts.values()),
        outcomes=counts,
        n_calls=5,
        prompt_tokens=100,
        completion_tokens=10,
        cached_tokens=0,
        cost_usd=Decimal("0.25"),
        n_calls_unpriced=n_unpriced,
        tokens_are_approximate=False,
    )


def build_summary(
    *,
    cost_is_known: bool = True,
    calls_reused: int = 0,
    faults: dict[FaultKind, int] | None = None,
    latency_seconds: float | None = None,
) -> RunSummary:
    return RunSummary(
        n_items=1,
        outcomes={"accepted": 1},
        calls_sent=1,
        calls_reused=calls_reused,
        prompt_tokens=1,
        completion_tokens=1,
        cost_usd=Decimal("0.25"),
        cost_is_known=cost_is_known,
        faults=faults or {},
        latency_p50_seconds=latency_seconds,
        latency_p95_seconds=latency_seconds,
        latency_max_seconds=latency_seconds,
        elapsed_seconds=1.0,
    )


def test_a_plan_is_metadata_by_reason_and_bounds():
    """What was planned stands beside what was done: items by the reasons there were, calls, the cost with its bounds."""
    described = describe_plan(
        build_plan_of({"new": 3, "prompt_changed": 2}, n_left_out=1, n_following=5)
    )
    assert described == {
        "planned_new": 3,
        "planned_prompt_changed": 2,
        "planned_answered": 39,
        "planned_left_out": 1,
        "planned_calls": 10,
        "planned_cost": "$0.02 ($0.01 to $0.05)",
    }


def test_an_unknown_cost_is_planned_as_unknown():
    """Where a price is not known no amount is made up; where no call is planned there is no cost to speak of."""
    described = describe_plan(build_plan_of({"new": 1}, cost=None))
    assert described == {
        "planned_new": 1,
        "planned_answered": 44,
        "planned_calls": 1,
        "planned_cost": "unknown",
    }
    assert describe_plan(build_plan_of(n_items=3, n_without_call=2))["planned_without_call"] == 2
    assert describe_plan(build_plan_of({})) == {"planned_answered": 45, "planned_calls": 0}


@pytest.mark.parametrize(
    ("n_unpriced", "told"),
    [
        (0, {"cost_usd": 0.25}),
        (1, {"cost": "at least $0.25 (price of 1 call unknown)"}),
        (5, {"cost": "unknown"}),
    ],
)
def test_a_part_of_a_cost_is_not_drawn_as_the_whole(n_unpriced: int, told: dict[str, object]):
    """As soon as one call has no price, the sum is a text that says so and no point of a plot."""
    described = describe_totals(build_totals(n_unpriced, accepted=1))
    assert {name: described[name] for name in described if "cost" in name} == told


@pytest.mark.parametrize(
    ("outcomes", "share"),
    [
        ({}, 0.0),
        ({"accepted": 4}, 0.0),
        ({"accepted": 3, "refused": 1}, 0.25),
        ({"accepted": 1, "failed": 1, "over_budget": 6, "skipped": 2}, 0.5),
        ({"over_budget": 3}, 0.0),
        ({"blocked": 2}, 1.0),
    ],
)
def test_the_failed_share_is_of_the_items_that_were_asked(outcomes: dict[str, int], share: float):
    """Items that a budget or a limit left out are neither accepted nor failed."""
    assert describe_totals(build_totals(**outcomes))["share_failed"] == share


def test_what_did_not_occur_is_left_out():
    """A batch is told by the numbers that people follow, zeros included, and by what there was beside them."""
    followed = {
        "share_failed": 0.0,
        "calls": 5,
        "cost_usd": 0.25,
        "prompt_tokens": 100,
        "completion_tokens": 10,
    }
    assert describe_totals(build_totals()) == {"items_accepted": 0, **followed}
    more = {"cached_tokens": 50, "tokens_are_approximate": True}
    told = build_totals(accepted=1, invalid=2, blocked=1).model_copy(update=more)
    assert describe_totals(told) == {
        **followed,
        "items_accepted": 1,
        "items_invalid": 2,
        "items_blocked": 1,
        "share_failed": 0.75,
        "cached_tokens": 50,
        "tokens_are_approximate": True,
    }


def test_a_run_tells_what_it_sent():
    """Faults are added up; without any, and without a latency or a cost that is known, there is no such entry."""
    own = {"calls_sent": 1, "elapsed_seconds": 1.0}
    assert describe_run(build_summary(cost_is_known=False)) == own
    told = build_summary(
        calls_reused=4, faults={"rate_limited": 2, "timed_out": 1}, latency_seconds=0.0
    )
    assert describe_run(told) == {
        **own,
        "calls_reused": 4,
        "run_faults": 3,
        "run_cost_usd": 0.25,
        "latency_p50_seconds": 0.0,
        "latency_p95_seconds": 0.0,
    }
