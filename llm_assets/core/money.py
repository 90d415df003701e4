"""How amounts of US dollars are written for people and for files."""

from decimal import Decimal

from llm_assets.core.number_words import render_count

SIGNIFICANT_DIGITS = 3
"""Shown of an amount below a dollar, so that a cheap call does not read as free."""


def render_amount(amount: Decimal) -> str:
    """The exact amount as a plain number: no exponent, no trailing zeros."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def render_usd(amount: Decimal) -> str:
    """The amount for people, such as `$1,234.50`, `$0.0132` or `$0.00`; only zero is shown as zero."""
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    n_decimals = 2 if size == 0 or size >= 1 else max(2, SIGNIFICANT_DIGITS - 1 - size.adjusted())
    whole, _, decimals = f"{size:,.{n_decimals}f}".partition(".")
    return f"{sign}${whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def render_cost(known_usd: Decimal, *, n_calls: int, n_calls_unpriced: int) -> str:
    """What calls cost, honest about those without a price: they are unknown, never free.

    `known_usd` is the sum over the calls whose price is known.
    """
    if n_calls_unpriced == 0:
        return render_usd(known_usd)
    if n_calls_unpriced >= n_calls:
        return "unknown"
    calls = render_count(n_calls_unpriced, "call")
    return f"at least {render_usd(known_usd)} (price of {calls} unknown)"
