"""How sure a share or a mean is: the range in which the true value lies in 95 of 100 such samples."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, fmean, stdev

from llm_assets.core.student import find_t_quantile
from llm_assets.core.values import FrozenModel

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Interval(FrozenModel):
    """A range of values, both ends included."""

    low: float
    high: float


def wilson_interval(n_right: int, n_total: int) -> Interval | None:
    """Wilson's interval of a share; None where there is nothing to take a share of.

    It stays within 0 and 1 and has a width also where all or none are right, which the usual one does not.
    """
    if n_total == 0:
        return None
    share, square = n_right / n_total, _Z * _Z
    spread = _Z * sqrt(share * (1 - share) / n_total + square / (4 * n_total * n_total))
    scale = 1 + square / n_total
    middle = (share + square / (2 * n_total)) / scale
    low, high = middle - spread / scale, middle + spread / scale
    # The ends are exact for none and for all; rounding would leave them a hair off.
    return Interval(low=low if n_right else 0.0, high=high if n_right < n_total else 1.0)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """The interval of a mean by Student's distribution; None for fewer than two values, which do not vary.

    It has no width where all values are the same.
    """
    if len(values) < 2:
        return None
    mean, spread = fmean(values), stdev(values) / sqrt(len(values))
    reach = find_t_quantile(len(values) - 1, CONFIDENCE) * spread
    return Interval(low=mean - reach, high=mean + reach)
