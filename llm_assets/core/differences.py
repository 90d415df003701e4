"""How far two answers to the same items differ: shares, means, and how sure the difference is."""

from collections.abc import Sequence
from statistics import fmean

from llm_assets.core.intervals import Interval
from llm_assets.core.paired_intervals import (
    count_pairs,
    find_mcnemar_p,
    paired_mean_interval,
    paired_share_interval,
)
from llm_assets.core.values import FrozenModel


class Difference(FrozenModel):
    """A number of the same items on both sides."""

    name: str
    n_pairs: int
    """Pairs that have the number on both sides."""
    mean_a: float
    """The share where it is one."""
    mean_b: float
    difference: float
    """Of B to A."""
    interval: Interval | None
    """Where the difference over all such items lies in 95 of 100 cases; None for fewer than two pairs."""
    n_higher: int
    """Pairs in which B has more."""
    n_lower: int
    is_share: bool
    """Whether each item has it or not."""
    chance: float | None
    """How often so many items differ one way rather than the other by chance alone; None where it is no share."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no difference out."""
        return self.interval is not None and not self.interval.low <= 0 <= self.interval.high


def build_mean_difference(name: str, pairs: Sequence[tuple[float, float]]) -> Difference | None:
    """The difference of two means over the same items; None where there are none."""
    if not pairs:
        return None
    mean_a, mean_b = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
    return Difference(
        name=name,
        n_pairs=len(pairs),
        mean_a=mean_a,
        mean_b=mean_b,
        difference=fmean(b - a for a, b in pairs),
        interval=paired_mean_interval(pairs),
        n_higher=sum(b > a for a, b in pairs),
        n_lower=sum(b < a for a, b in pairs),
        is_share=False,
        chance=None,
    )


def build_share_difference(name: str, pairs: Sequence[tuple[bool, bool]]) -> Difference | None:
    """The difference of two shares over the same items; None where there are none."""
    if not pairs:
        return None
    counts = count_pairs(pairs)
    n = counts.n_total
    return Difference(
        name=name,
        n_pairs=n,
        mean_a=(counts.n_both + counts.n_only_a) / n,
        mean_b=(counts.n_both + counts.n_only_b) / n,
        difference=(counts.n_only_b - counts.n_only_a) / n,
        interval=paired_share_interval(counts),
        n_higher=counts.n_only_b,
        n_lower=counts.n_only_a,
        is_share=True,
        chance=find_mcnemar_p(counts),
    )
