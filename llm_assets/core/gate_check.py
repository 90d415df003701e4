"""Whether a gate leaves too much to people."""

from llm_assets.config.checks import ShareRule
from llm_assets.core.checks import CheckResult
from llm_assets.core.gate import GateMeta


def decide_gate_share(meta: GateMeta, rule: ShareRule) -> CheckResult:
    """Whether few enough of the items with an accepted output wait for a person; those that one decided on do not."""
    n_waiting = meta.routes["review_queue"]
    n_accepted = n_waiting + meta.routes["published"] + meta.routes["turned_down"]
    share = n_waiting / max(n_accepted, 1)
    return CheckResult(
        name="gate_share",
        is_passed=share <= rule.max_share,
        sentence=(
            f"{n_waiting} of {n_accepted} items wait for a person "
            f"({share:.1%}; up to {rule.max_share:.0%} may)."
        ),
        numbers={
            "accepted": n_accepted,
            "waiting": n_waiting,
            "share": round(share, 4),
            "max_share": rule.max_share,
        },
    )
