"""Whether few enough items of a batch wait for a person."""

from llm_assets.config.checks import ShareRule
from llm_assets.core.checks import CheckResult
from llm_assets.core.gate import GateMeta
from llm_assets.core.number_words import render_count, render_rough_percent


def decide_gate_share(gate: GateMeta, rule: ShareRule) -> CheckResult:
    """Whether the review queue is a small enough share of the items that have an output, or had one a person rejected."""
    n_waiting = gate.routes["review_queue"]
    n_items = sum(gate.routes.values()) - gate.routes["failed"]
    share = n_waiting / max(n_items, 1)
    sentence = (
        f"{n_waiting} of {render_count(n_items, 'item')} with an output wait for a person "
        f"({render_rough_percent(share)}; up to {render_rough_percent(rule.max_share)} may)."
    )
    if gate.n_outdated:
        what = "decision of a person no longer applies: its row"
        if gate.n_outdated > 1:
            what = "decisions of people no longer apply: their rows"
        sentence += f" {gate.n_outdated} {what} changed."
    return CheckResult(
        name="gate_share",
        is_passed=share <= rule.max_share,
        sentence=sentence,
        numbers={
            "items": n_items,
            "waiting": n_waiting,
            "share": round(share, 4),
            "max_share": rule.max_share,
            "outdated": gate.n_outdated,
        },
    )
