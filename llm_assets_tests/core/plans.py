"""Plans and estimates for tests that say what one looks like."""

from decimal import Decimal

from llm_assets.core.plan import Plan
from llm_assets.core.plan_calls import CallCounts
from llm_assets.core.plan_cost import CostRange, Estimate
from llm_assets.core.plan_reasons import Reason
from llm_assets.core.token_forecast import TokenRange


def build_plan_of(
    reasons: dict[Reason, int] | None = None,
    *,
    n_items: int = 45,
    n_left_out: int = 0,
    n_without_call: int = 0,
    n_following: int = 0,
    cost: tuple[str, str, str] | None = ("0.01", "0.02", "0.05"),
    is_guess: bool = False,
    is_approximate: bool = False,
) -> Plan:
    """A plan in which every item has a call of its own."""
    counts = tuple((reasons or {}).items())
    n_to_run = sum(count for _, count in counts)
    return Plan(
        n_items=n_items,
        n_answered=n_items - n_to_run - n_left_out - n_without_call,
        n_without_call=n_without_call,
        reasons=counts,
        n_left_out=n_left_out,
        calls=CallCounts(
            n_generate=n_to_run,
            n_waiting=0,
            n_following=n_following,
            n_following_sure=n_following,
            n_failed=0,
        ),
        n_calls_reused=0,
        estimate=Estimate(
            prompt_tokens=TokenRange(low=900, likely=1000, high=2000),
            completion_tokens=TokenRange(low=100, likely=200, high=500),
            cost_usd=None if cost is None else _build_cost(*cost),
            is_guess=is_guess,
            is_approximate=is_approximate,
        ),
    )


def _build_cost(low: str, likely: str, high: str) -> CostRange:
    return CostRange(low_usd=Decimal(low), likely_usd=Decimal(likely), high_usd=Decimal(high))
