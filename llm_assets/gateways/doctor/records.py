"""Can the ledger be read, and are tokens counted exactly?"""

from collections.abc import Sequence

from llm_assets.core.findings import Finding, build_problems
from llm_assets.core.spend import add_spends
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets.gateways.project import LEDGER_VARIABLE, Project
from llm_assets.gateways.token_counter import build_token_counter


def examine_ledger(project: Project) -> tuple[Finding, ...]:
    """What the ledger holds; it is read and not changed, and not made where it is missing."""
    is_own = project.find_variable(LEDGER_VARIABLE) is None
    place = project.show(project.ledger_path) if is_own else f"what {LEDGER_VARIABLE} names"
    try:
        with open_ledger_view(project.ledger_url) as ledger:
            total = add_spends("total", ledger.history.sum_spend("model", since=None))
    except LLMAssetsError as exc:
        return build_problems("ledger", exc)
    counts = f"{total.n_calls:,} calls, {total.n_answers:,} answers, {total.render_cost()}"
    text = f"{place}: {counts if total.n_calls else 'no calls yet'}"
    return (Finding(level="ok", subject="ledger", text=text),)


def examine_counting(models: Sequence[str]) -> tuple[Finding, ...]:
    """How tokens are counted for these models, none of them the offline one's."""
    findings: list[Finding] = []
    for model in models:
        counter = build_token_counter(model, is_offline=False)
        if counter.is_approximate:
            text = f"counted approximately for {model}: plans and limits go by estimates"
            remedy = "(there is no table for it, or it cannot be fetched; TIKTOKEN_CACHE_DIR names where it is kept)"
        else:
            text, remedy = f"counted exactly for {model}", ""
        findings.append(Finding(level="ok", subject="tokens", text=text, remedy=remedy))
    return tuple(findings)
