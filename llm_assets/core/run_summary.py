"""What one run did: sent, reused, spent. The outputs themselves say what the batch is."""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import Annotated, Literal

from llm_assets.config.base import LEFT_OUT_IF_EMPTY
from llm_assets.core.calls import FaultKind
from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import Outcome
from llm_assets.core.run_origin import RunOrigin
from llm_assets.core.values import FrozenModel


class StepSummary(FrozenModel):
    """One step's share of a run."""

    name: StepName
    outcomes: dict[Outcome, int]
    """Of all items, whether this run asked for them or an earlier one."""
    calls_sent: int
    prompt_tokens: int
    """Of the calls sent."""
    completion_tokens: int
    cost_usd: Decimal
    """Of the calls sent whose price is known."""
    cost_is_known: bool


class RunSummary(FrozenModel):
    """The account of one run over one batch. It differs from run to run, so no later stage reads it."""

    format_version: Literal[1] = 1
    n_items: int
    outcomes: dict[Outcome, int]
    """Of all items, whether this run asked for them or an earlier one."""
    calls_sent: int
    """Every request that left, those included that were sent again."""
    calls_reused: int
    """Answers that were on record already."""
    prompt_tokens: int
    """Of the calls sent."""
    completion_tokens: int
    cached_tokens: int = 0
    """Of the prompt tokens, those that the provider read from its cache."""
    cost_usd: Decimal
    """Of the calls sent whose price is known."""
    cost_is_known: bool
    faults: dict[FaultKind, int]
    latency_p50_seconds: float | None
    latency_p95_seconds: float | None
    latency_max_seconds: float | None
    elapsed_seconds: float
    origin: RunOrigin | None = None
    """What the run was made with; None in an account from before this was kept."""
    steps: Annotated[tuple[StepSummary, ...], LEFT_OUT_IF_EMPTY] = ()
    """Those of this run, in their order; none where the task names no steps."""


def find_quantile(values: Sequence[float], share: float) -> float | None:
    """The value that this share of the values does not exceed; None where there are none."""
    if not values:
        return None
    # Rounded first: 0.07 * 100 is a little more than 7.
    rank = ceil(round(share * len(values), 6))
    return round(sorted(values)[max(rank, 1) - 1], 4)
