"""Whether few enough items of a batch wait for a person."""

from llm_assets.config.checks import ShareRule
from llm_assets.core.checks import CheckResult, build_share_check
from llm_assets.core.gate import GateMeta
from llm_assets.core.number_words import render_count


def decide_gate_share(gate: GateMeta, rule: ShareRule) -> CheckResult:
    """Whether the review queue is a small enough share of the items that have an output, or had one a person rejected."""
    n_waiting, n_outdated = gate.routes["review_queue"], gate.n_outdated
    n_items = sum(gate.routes.values()) - gate.routes["failed"]
    what = "decision of a person no longer applies: its row"
    if n_outdated > 1:
        what = "decisions of people no longer apply: their rows"
    return build_share_check(
        "gate_share",
        f"{n_waiting} of {render_count(n_items, 'item')} with an output wait for a person",
        rule,
        share=n_waiting / max(n_items, 1),
        numbers={"items": n_items, "waiting": n_waiting, "outdated": n_outdated},
        more=f" {n_outdated} {what} changed." if n_outdated else "",
    )
