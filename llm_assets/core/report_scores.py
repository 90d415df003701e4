"""Which scores a hook gave the outputs of a batch."""

from statistics import fmean

from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.values import FrozenModel


class ScoreResults(FrozenModel):
    """The scores taken together."""

    n_scored: int
    mean: float
    lowest: float
    highest: float


def build_score_results(outputs: LLMOutputs) -> ScoreResults | None:
    """Sum up the scores; None where there are none."""
    scores = [item.score for item in outputs.records if item.score is not None]
    if not scores:
        return None
    return ScoreResults(
        n_scored=len(scores), mean=fmean(scores), lowest=min(scores), highest=max(scores)
    )


def render_scores(results: ScoreResults) -> str:
    """The scores in a line."""
    items = "1 item" if results.n_scored == 1 else f"{results.n_scored:,} items"
    return (
        f"{results.mean:.3g} in the mean of {items} ({results.lowest:.3g} to {results.highest:.3g})"
    )
