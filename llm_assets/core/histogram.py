"""How many numbers fall where, in steps that people count in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from llm_assets.core.run_summary import find_quantile

MAX_BINS = 24
_NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_OUTLIER_FACTOR = 3
"""Numbers beyond the 99th percentile share the last bin where the largest is so many times as large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The numbers from `start` up to `end`, which is not part of it."""

    start: float
    end: float
    count: int
    is_open: bool = False
    """Whether the last bin holds everything above its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Numbers counted in bins of one width, from the smallest to the largest, empty ones included."""

    bins: tuple[Bin, ...]
    is_whole: bool
    """Whether each bin is one whole number."""


def build_histogram(values: Sequence[float]) -> Histogram | None:
    """Count the values; None where there are none. A few far outliers share the last bin, which is open."""
    if not values:
        return None
    low, high = min(values), max(values)
    near = find_quantile(values, 0.99) or 0.0
    top = near if near > low and high - low > _OUTLIER_FACTOR * (near - low) else high
    is_whole = all(value == int(value) for value in values)
    step = _find_step(top - low, is_whole=is_whole)
    first, last = floor(low / step), floor(top / step)
    counts = Counter(min(floor(value / step), last) for value in values)
    bins = tuple(
        Bin(
            start=_round(number * step, step),
            end=_round((number + 1) * step, step),
            count=counts[number],
            is_open=number == last and floor(high / step) > last,
        )
        for number in range(first, last + 1)
    )
    return Histogram(bins=bins, is_whole=is_whole and step == 1)


def _find_step(spread: float, *, is_whole: bool) -> float:
    """The smallest step of 1, 2, 2.5 or 5 times a power of ten with which the bins suffice."""
    if spread <= 0:
        return 1.0
    rough = spread / (MAX_BINS - 1)
    if is_whole and rough <= 1:
        return 1.0
    power = 10.0 ** floor(log10(rough))
    steps = [nice * power for nice in _NICE_STEPS if nice * power >= rough]
    step = steps[0] if steps else 10 * power
    return float(ceil(step)) if is_whole else step


def _round(edge: float, step: float) -> float:
    """The edge without the crumbs of binary fractions."""
    return round(edge, max(0, 2 - floor(log10(step))))
