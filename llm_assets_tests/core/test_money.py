from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.money import render_amount, render_cost, render_usd

AMOUNTS = st.decimals(
    min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=12
)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0E-12", "$0.00"),
        ("0.0132", "$0.0132"),
        ("0.5", "$0.50"),
        ("0.1", "$0.10"),
        ("0.000001234567", "$0.00000123"),
        ("0.9999", "$1.00"),
        ("1", "$1.00"),
        ("12.345", "$12.34"),
        ("1234567.891", "$1,234,567.89"),
        ("-0.0132", "-$0.0132"),
        ("1E+3", "$1,000.00"),
    ],
)
def test_render_usd(amount, text):
    """Dollars show two decimals, cents as many as say something."""
    assert render_usd(Decimal(amount)) == text


@given(AMOUNTS.filter(bool))
def test_render_usd_never_hides_money(amount):
    """An amount that is not zero never reads as zero, and is at most half a percent off."""
    shown = Decimal(render_usd(amount).replace("$", "").replace(",", ""))
    assert shown > 0
    assert abs(shown - amount) <= amount / 200 + Decimal("0.005") * (amount >= 1)


@given(AMOUNTS)
def test_render_amount_is_exact(amount):
    """The plain number is the amount itself, without exponent or trailing zeros."""
    text = render_amount(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not ("." in text and text.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("n_calls", "n_unpriced", "text"),
    [
        (0, 0, "$0.25"),
        (9, 0, "$0.25"),
        (9, 1, "at least $0.25 (price of 1 call unknown)"),
        (9_000, 1_200, "at least $0.25 (price of 1,200 calls unknown)"),
        (9, 9, "unknown"),
    ],
)
def test_render_cost_of_unpriced_calls(n_calls, n_unpriced, text):
    """A cost that is unknown, wholly or in part, is called so."""
    assert render_cost(Decimal("0.25"), n_calls=n_calls, n_calls_unpriced=n_unpriced) == text
