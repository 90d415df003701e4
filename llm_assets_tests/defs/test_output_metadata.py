from decimal import Decimal

import pytest

from llm_assets.core.llm_outputs import OUTCOMES, Outcome, Totals
from llm_assets.core.plan_reasons import REASONS
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
        cached_tokens=50,
        cost_usd=Decimal("0.25"),
        n_calls_unpriced=n_unpriced,
        tokens_are_approximate=False,
    )


def build_summary(*, cost_is_known: bool) -> RunSummary:
    return RunSummary(
        n_items=1,
        outcomes={"accepted": 1},
        calls_sent=1,
        calls_reused=0,
        prompt_tokens=1,
        completion_tokens=1,
        cost_usd=Decimal("0.25"),
        cost_is_known=cost_is_known,
        faults={"rate_limited": 2, "timed_out": 1},
        latency_p50_seconds=None,
        latency_p95_seconds=None,
        latency_max_seconds=None,
        elapsed_seconds=1.0,
    )


def test_a_plan_is_metadata_by_reason_and_bounds():
    """What was planned stands beside what was done: items by every reason, calls, and the cost with its bounds."""
    described = describe_plan(
        build_plan_of({"new": 3, "prompt_changed": 2}, n_left_out=1, n_following=5)
    )
    assert described == {
        **{f"planned_{reason}": 0 for reason in REASONS},
        "planned_new": 3,
        "planned_prompt_changed": 2,
        "planned_answered": 39,
        "planned_left_out": 1,
        "planned_calls": 10,
        "planned_cost": "$0.02 ($0.01 to $0.05)",
        "planned_cost_low_usd": 0.01,
        "planned_cost_high_usd": 0.05,
    }


def test_an_unknown_cost_is_no_number_of_the_metadata():
    """A plot of planned costs has no point where the price is not known, but the key is there."""
    described = describe_plan(build_plan_of({"new": 1}, cost=None))
    assert described["planned_cost"] == "unknown"
    assert described["planned_cost_low_usd"] is described["planned_cost_high_usd"] is None


@pytest.mark.parametrize(
    ("n_unpriced", "cost", "cost_usd"),
    [
        (0, "$0.25", 0.25),
        (1, "at least $0.25 (price of 1 call unknown)", None),
        (5, "unknown", None),
    ],
)
def test_a_part_of_a_cost_is_not_drawn_as_the_whole(
    n_unpriced: int, cost: str, cost_usd: float | None
):
    """As soon as one call has no price, the sum is a text that says so and no point of a plot."""
    described = describe_totals(build_totals(n_unpriced, accepted=1))
    assert (described["cost"], described["cost_usd"]) == (cost, cost_usd)
    assert described["calls_unpriced"] == n_unpriced


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


def test_every_outcome_has_a_number():
    """Outcomes that did not occur are 0 and not missing."""
    described = describe_totals(build_totals(accepted=2))
    assert {name: described[f"items_{name}"] for name in OUTCOMES} == {
        **dict.fromkeys(OUTCOMES, 0),
        "accepted": 2,
    }


def test_a_run_tells_what_it_sent():
    """Faults are added up; a cost that is not wholly known and a latency that was not measured are null."""
    described = describe_run(build_summary(cost_is_known=False))
    assert (described["run_faults"], described["run_cost_usd"]) == (3, None)
    assert described["latency_p50_seconds"] is None
    assert describe_run(build_summary(cost_is_known=True))["run_cost_usd"] == 0.25
