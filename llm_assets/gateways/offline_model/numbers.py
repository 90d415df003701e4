"""Which number fits the bounds of a schema."""

import math
from fractions import Fraction

from llm_assets.gateways.offline_model.shapes import Number

N_VARIANTS = 64
"""How many different numbers are found between two bounds that need not be integers."""
DECIMALS = 2
"""What an unbounded number is rounded to."""


def is_within(value: float, number: Number) -> bool:
    """Whether the schema takes the value as it is, its step left aside."""
    if number.is_integer and value != int(value):
        return False
    low = -math.inf if number.low is None else number.low
    high = math.inf if number.high is None else number.high
    is_above = value > low if number.is_low_open else value >= low
    is_below = value < high if number.is_high_open else value <= high
    return is_above and is_below


def place_on_scale(share: float, number: Number, *, low: float, high: float) -> float:
    """The value at `share`, from 0 to 1, of the way between the bounds, or of the given ones where they lack."""
    start = low if number.low is None else number.low
    end = max(high, start + 1) if number.high is None else number.high
    start = min(start, end)
    value = start + (end - start) * share
    return round(value) if number.is_integer else round(value, DECIMALS)


def find_variant(value: float, number: Number, nth: int) -> float:
    """A number beside `value`, each `nth` another one; beyond the upper bound they start at the lower one."""
    span = None if number.low is None or number.high is None else number.high - number.low
    gap = number.step or (1 if number.is_integer or not span else span / N_VARIANTS)
    moved = value + nth * gap
    if span is None or number.low is None or moved <= number.low + span:
        return moved
    return number.low + (moved - number.low) % (span + gap)


def fit_number(value: float, number: Number) -> float:
    """The nearest number that the schema takes; an `int` where it asks for integers."""
    if number.is_integer and not number.step and is_within(value, number):
        return int(value)
    step = _find_step(number)
    if step is not None:
        return _fit_to_step(value, number, step)
    if is_within(value, number):
        return value
    low, high = number.low, number.high
    if low is None:
        low = min(value, high if high is not None else value) - 1
    if high is None:
        high = max(value, low) + 1
    if value <= low:
        return low if not number.is_low_open else low + (high - low) / 100
    return high if not number.is_high_open else high - (high - low) / 100


def _find_step(number: Number) -> Fraction | None:
    step = Fraction(str(number.step)) if number.step else None
    if not number.is_integer:
        return step
    # The multiples of p/q that are integers are the multiples of p.
    return Fraction(step.numerator) if step else Fraction(1)


def _fit_to_step(value: float, number: Number, step: Fraction) -> float:
    n_steps = round(Fraction(str(value)) / step)
    if number.low is not None:
        low = Fraction(str(number.low)) / step
        n_steps = max(n_steps, math.floor(low) + 1 if number.is_low_open else math.ceil(low))
    if number.high is not None:
        high = Fraction(str(number.high)) / step
        n_steps = min(n_steps, math.ceil(high) - 1 if number.is_high_open else math.floor(high))
    fitted = n_steps * step
    return int(fitted) if number.is_integer else float(fitted)
