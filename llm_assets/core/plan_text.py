"""How a plan is said in a line."""

from llm_assets.core.money import render_usd
from llm_assets.core.plan import Plan


def render_plan(plan: Plan) -> str:
    """Such as `45 items: 30 answered already, 15 to run in 14 calls or more; expected cost about $0.02`."""
    parts = [f"{plan.n_items} items: {plan.n_answered} answered already, {plan.n_to_run} to run"]
    if plan.n_to_run:
        parts.append(f" in {plan.n_calls_to_send} calls or more")
    if plan.n_left_out:
        parts.append(f", {plan.n_left_out} beyond the limit")
    if plan.n_to_run:
        parts.append(f"; {_render_expected_cost(plan)}")
    return "".join(parts)


def _render_expected_cost(plan: Plan) -> str:
    if plan.expected_cost_usd is None:
        return "expected cost unknown: the model has no known price, set `llm.price`"
    mark = " (tokens counted approximately)" if plan.is_approximate else ""
    return f"expected cost about {render_usd(plan.expected_cost_usd)}{mark}"
