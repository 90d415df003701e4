"""How sure a difference is between two answers to the same items."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from llm_assets.core.intervals import Interval, mean_interval, wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedCounts:
    """How many items have a property in both, in one or in neither of two."""

    n_both: int
    n_only_a: int
    n_only_b: int
    n_neither: int

    @property
    def n_total(self) -> int:
        """All of them."""
        return self.n_both + self.n_only_a + self.n_only_b + self.n_neither


def count_pairs(pairs: Sequence[tuple[bool, bool]]) -> PairedCounts:
    """Count the pairs by what is true of their first and of their second."""
    return PairedCounts(
        n_both=pairs.count((True, True)),
        n_only_a=pairs.count((True, False)),
        n_only_b=pairs.count((False, True)),
        n_neither=pairs.count((False, False)),
    )


def paired_mean_interval(pairs: Sequence[tuple[float, float]]) -> Interval | None:
    """The interval of the mean difference, second less first; None for fewer than two pairs."""
    return mean_interval([b - a for a, b in pairs])


def paired_share_interval(counts: PairedCounts) -> Interval | None:
    """The interval of the difference of two shares over the same items, second less first; None without items.

    Newcombe's tenth method (Statistics in Medicine 17, 1998, 2635-2650): Wilson's intervals of both shares, put
    together with regard to how much they go hand in hand. It has a width also where no item differs, and stays
    within -1 and 1.
    """
    n = counts.n_total
    n_a, n_b = counts.n_both + counts.n_only_a, counts.n_both + counts.n_only_b
    of_a, of_b = wilson_interval(n_a, n), wilson_interval(n_b, n)
    if of_a is None or of_b is None:
        return None
    a, b, together = n_a / n, n_b / n, _find_correlation(counts)
    return Interval(
        low=b - a - _join(b - of_b.low, of_a.high - a, together),
        high=b - a + _join(of_b.high - b, a - of_a.low, together),
    )


def find_mcnemar_p(counts: PairedCounts) -> float:
    """How often a difference as large as this comes about by chance alone: McNemar's exact test, two-sided."""
    fewer, more = sorted((counts.n_only_a, counts.n_only_b))
    n_differing = fewer + more
    ways = tail = 1
    for number in range(fewer):
        ways = ways * (n_differing - number) // (number + 1)
        tail += ways
    return min(1.0, 2 * tail / 2**n_differing)


def _join(own: float, other: float, together: float) -> float:
    return sqrt(max(own * own - 2 * together * own * other + other * other, 0.0))


def _find_correlation(counts: PairedCounts) -> float:
    """How far both shares rise and fall together, from -1 to 1, less a correction for few items."""
    n, n_both, n_neither = counts.n_total, counts.n_both, counts.n_neither
    n_a, n_b = n_both + counts.n_only_a, n_both + counts.n_only_b
    scale = n_a * (n - n_a) * n_b * (n - n_b)
    excess = n_both * n_neither - counts.n_only_a * counts.n_only_b
    if excess > 0:
        excess = max(excess - n / 2, 0)
    return excess / sqrt(scale) if scale else 0.0
