"""How far from its mean a sample of a few values has to be looked for: Student's distribution."""

from functools import cache
from math import atan, cos, pi, sin, sqrt
from statistics import NormalDist

_SERIES_UP_TO = 30
"""Degrees of freedom from which on the expansion is right to four decimals."""
_HALVINGS = 60
_FARTHEST = 2_000.0
"""No quantile for a confidence of up to 99.9% is larger."""


@cache
def find_t_quantile(n_free: int, confidence: float) -> float:
    """The distance from 0, both ways, within which a share of `confidence` lies with `n_free` degrees of freedom."""
    if n_free >= _SERIES_UP_TO:
        return _expand(n_free, NormalDist().inv_cdf((1 + confidence) / 2))
    low, high = 0.0, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_within = _find_share(n_free, middle) < confidence
        low, high = (middle, high) if is_within else (low, middle)
    return (low + high) / 2


def _find_share(n_free: int, distance: float) -> float:
    """How much lies within a distance; a finite sum for whole degrees (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = atan(distance / sqrt(n_free))
    term = cos(angle) if n_free % 2 else 1.0
    total = 0.0
    for power in range(2 + n_free % 2, n_free + 1, 2):
        total += term
        term *= cos(angle) ** 2 * (power - 1) / power
    if n_free % 2 == 0:
        return sin(angle) * total
    return (angle + sin(angle) * total) * 2 / pi


def _expand(n_free: int, z: float) -> float:
    """From the quantile of the normal distribution, by the expansion in powers of 1/n (Fisher and Cornish)."""
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return sum(term / n_free**power for power, term in enumerate(terms))
