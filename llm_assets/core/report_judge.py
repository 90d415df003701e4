"""What the judge made of a batch, drawn from the attempts of its items."""

from collections.abc import Sequence

from llm_assets.core.ids import Sha256
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputsMeta
from llm_assets.core.values import FrozenModel


class JudgeResults(FrozenModel):
    """The judge's share in a batch; a verdict that equal items share counts once."""

    endpoint: str | None
    """The name in the config."""
    model: str
    prompt_path: str | None
    prompt_sha256: Sha256 | None
    is_rehearsal: bool
    """Whether the offline model judged, which is no LLM."""
    n_accepting: int
    """Verdicts that accept an answer."""
    n_rejecting: int
    """Verdicts that reject one; an item may have several, and be accepted after them."""
    n_without_verdict: int
    """Calls that brought no verdict. They say nothing about an item."""
    n_items_mended: int
    """Items accepted after a rejection."""
    n_items_rejected: int
    n_items_unjudged: int
    """Items with a valid answer that got no verdict; the next run asks the judge alone."""


def build_judge_results(records: Sequence[ItemOutput], meta: LLMOutputsMeta) -> JudgeResults | None:
    """Count the verdicts; None where the task has no judge."""
    if meta.judge_model is None:
        return None
    calls = {
        attempt.call_key: attempt.verdict
        for item in records
        for attempt in item.attempts
        if attempt.purpose == "judge"
    }
    verdicts = list(calls.values())
    return JudgeResults(
        endpoint=meta.judge_endpoint,
        model=meta.judge_model,
        prompt_path=meta.judge_prompt_path,
        prompt_sha256=meta.judge_prompt_sha256,
        is_rehearsal=meta.is_judge_rehearsal,
        n_accepting=verdicts.count(True),
        n_rejecting=verdicts.count(False),
        n_without_verdict=verdicts.count(None),
        n_items_mended=sum(_is_mended(item) for item in records),
        n_items_rejected=sum(item.outcome == "rejected" for item in records),
        n_items_unjudged=sum(_is_unjudged(item) for item in records),
    )


def _is_mended(item: ItemOutput) -> bool:
    was_rejected = any(attempt.verdict is False for attempt in item.attempts)
    return item.outcome == "accepted" and was_rejected


def _is_unjudged(item: ItemOutput) -> bool:
    """Whether the judge is what is missing: it was asked last, and no verdict came."""
    if item.outcome != "failed" or not item.attempts:
        return False
    last = item.attempts[-1]
    return last.purpose == "judge" and last.verdict is None
