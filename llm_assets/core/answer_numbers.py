"""Which number a text says."""

import re
from decimal import Decimal

MAX_EXPONENT_DIGITS = 3
"""What is larger than any quantity is no number to reckon with."""

_NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?(?P<exponent>\d+))?",
    re.ASCII,
)
"""Digits, thousands apart by commas or not, a decimal point, an exponent; U+2212 is the typographic minus."""


def find_numbers(text: str) -> tuple[Decimal, ...]:
    """All numbers of a text in their order; signs of currency and of percent around them do not matter."""
    return tuple(
        Decimal(match[0].replace(",", "").replace("\u2212", "-"))
        for match in _NUMBER.finditer(text)
        if len(match["exponent"] or "") <= MAX_EXPONENT_DIGITS
    )


def find_only_number(text: str) -> Decimal | None:
    """The number of a text that says exactly one; None where it says none or several."""
    numbers = find_numbers(text)
    return numbers[0] if len(numbers) == 1 else None


def find_last_number(text: str) -> Decimal | None:
    """The number that a text ends up with."""
    return next(reversed(find_numbers(text)), None)


def is_near(
    found: Decimal, wanted: Decimal, *, tolerance: float, relative_tolerance: float
) -> bool:
    """Whether two numbers are the same within the wider of two tolerances, reckoned in decimals."""
    if found == wanted:
        return True
    allowed = max(Decimal(str(tolerance)), Decimal(str(relative_tolerance)) * abs(wanted))
    return abs(found - wanted) <= allowed
