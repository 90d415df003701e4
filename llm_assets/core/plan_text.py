"""How a plan is said: in a line, or as plain values for scripts."""

from pydantic import JsonValue

from llm_assets.core.money import render_amount, render_usd
from llm_assets.core.number_words import render_count
from llm_assets.core.plan import Plan, StepPlan
from llm_assets.core.plan_cost import CostRange, Estimate
from llm_assets.core.plan_reasons import Reason
from llm_assets.core.token_forecast import TokenRange

EXPECTED_NOTE = "expected calls are one for each item that gets so far; what they say and cost follows from answers to come"


def render_plan(plan: Plan) -> str:
    """Such as `45 items: 30 answered already, 15 to run (10 new, 5 prompt changed) in 14 calls or more; …`."""
    at_end = ", ".join(filter(None, [f"{plan.n_answered} answered already", render_needless(plan)]))
    parts = [f"{plan.n_items} items: {at_end}, {plan.n_to_run} to run"]
    if plan.n_to_run:
        parts.append(f" ({render_reasons(plan)}) in {render_calls(plan)}")
    if plan.n_left_out:
        parts.append(f", {plan.n_left_out} beyond the limit")
    if plan.n_to_run:
        parts.append(f"; {_render_expectation(plan.estimate)}")
        parts.append(f"; {EXPECTED_NOTE}" if plan.calls.n_expected else "")
    return "".join(parts)


def render_needless(plan: Plan) -> str:
    """Such as `2 need no call`; nothing where no item is like that."""
    if not plan.n_without_call:
        return ""
    return f"{plan.n_without_call} need{'s' if plan.n_without_call == 1 else ''} no call"


def render_reasons(plan: Plan) -> str:
    """Such as `10 new, 5 prompt changed`."""
    return ", ".join(f"{count} {render_reason(reason)}" for reason, count in plan.reasons)


def render_calls(plan: Plan) -> str:
    """Such as `14 calls or more and 14 verdicts`: an answer that is not accepted takes further calls."""
    n_generate, n_judge = plan.calls.n_generate, plan.calls.n_judge
    verdicts = f" and {render_count(n_judge, 'verdict')}" if n_judge else ""
    calls = f"{render_count(n_generate, 'call')} or more{verdicts}"
    steps = ", ".join(text for each in plan.steps if (text := _render_step(each)))
    return f"{calls} ({steps})" if steps else calls


def _render_step(step: StepPlan) -> str:
    """Such as `classify 8, 6 of them expected`; nothing where nothing is to be sent."""
    n_calls, n_expected = step.calls.n_generate + step.calls.n_judge, step.calls.n_expected
    if n_calls == 0:
        return ""
    if n_expected == 0:
        return f"{step.step} {n_calls}"
    n_all = step.calls.n_generate
    return (
        f"{step.step} {n_calls} expected"
        if n_expected == n_all
        else f"{step.step} {n_calls}, {n_expected} of them expected"
    )


def render_reason(reason: Reason) -> str:
    """A reason in words."""
    if reason == "settings_changed":
        return "model or parameters changed"
    return reason.replace("_", " ")


def render_cost_range(cost: CostRange | None) -> str:
    """Such as `$0.02 ($0.01 to $0.05)`, what is likely before its bounds; one amount where they are the same."""
    if cost is None:
        return "unknown"
    low, likely, high = map(render_usd, (cost.low_usd, cost.likely_usd, cost.high_usd))
    return likely if low == high else f"{likely} ({low} to {high})"


def render_token_range(estimate: Estimate) -> str:
    """Prompts and answers together, such as `12,000 (9,500 to 20,000)`."""
    both = (estimate.prompt_tokens, estimate.completion_tokens)
    low, likely, high = (
        sum(getattr(tokens, end) for tokens in both) for end in ("low", "likely", "high")
    )
    return f"{likely:,} ({low:,} to {high:,})"


def list_caveats(estimate: Estimate) -> tuple[str, ...]:
    """What the numbers of an estimate rest on, where that is less than the past and the model's own tokenizer."""
    caveats = {
        "answer lengths guessed": estimate.is_guess,
        "tokens counted approximately": estimate.is_approximate,
    }
    return tuple(text for text, applies in caveats.items() if applies)


def build_plan_record(plan: Plan) -> dict[str, JsonValue]:
    """The plan for scripts; amounts are exact decimals as text, an unknown cost is null."""
    estimate = plan.estimate
    cost = estimate.cost_usd
    return {
        "items": plan.n_items,
        "answered": plan.n_answered,
        "without_call": plan.n_without_call,
        "to_run": plan.n_to_run,
        "reasons": {str(reason): count for reason, count in plan.reasons},
        "left_out": plan.n_left_out,
        "calls_to_send": plan.n_calls_to_send,
        "calls_by_purpose": {"generate": plan.calls.n_generate, "judge": plan.calls.n_judge},
        "tokens": {
            "prompt": _build_range_record(estimate.prompt_tokens),
            "completion": _build_range_record(estimate.completion_tokens),
        },
        "cost_usd": None
        if cost is None
        else {
            "low": render_amount(cost.low_usd),
            "likely": render_amount(cost.likely_usd),
            "high": render_amount(cost.high_usd),
        },
        "lengths_are_guessed": estimate.is_guess,
        "tokens_are_approximate": estimate.is_approximate,
        "warnings": list(plan.warnings),
        **({"steps": [_build_step_record(each) for each in plan.steps]} if plan.steps else {}),
    }


def _build_step_record(step: StepPlan) -> JsonValue:
    """Expected calls are part of those to send: one for each item that gets so far."""
    return {
        "step": step.step,
        "reasons": {str(reason): count for reason, count in step.reasons},
        "calls_by_purpose": {"generate": step.calls.n_generate, "judge": step.calls.n_judge},
        "calls_expected": step.calls.n_expected,
    }


def _build_range_record(tokens: TokenRange) -> JsonValue:
    return {"low": tokens.low, "likely": tokens.likely, "high": tokens.high}


def _render_expectation(estimate: Estimate) -> str:
    if estimate.cost_usd is None:
        cost = "unknown: the model has no known price, set `llm.price`"
    else:
        cost = f"about {render_cost_range(estimate.cost_usd)}"
    caveats = list_caveats(estimate)
    marks = f" ({', '.join(caveats)})" if caveats else ""
    return f"expected cost {cost}; about {render_token_range(estimate)} tokens{marks}"
