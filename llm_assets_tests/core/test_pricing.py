from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.endpoint import PriceSettings
from llm_assets.core.calls import Usage
from llm_assets.core.pricing import compute_cost_usd

PRICES = st.decimals(min_value=0, max_value=1000, allow_nan=False, places=6)
COUNTS = st.integers(0, 10**9)


def price(input_usd, output_usd, cached_input_usd=None):
    return PriceSettings(
        input_usd=Decimal(input_usd),
        output_usd=Decimal(output_usd),
        cached_input_usd=None if cached_input_usd is None else Decimal(cached_input_usd),
    )


def usage(prompt_tokens, completion_tokens, cached_tokens=0):
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cached_tokens=cached_tokens,
        reasoning_tokens=completion_tokens,
    )


@pytest.mark.parametrize(
    ("used", "priced", "cost_usd"),
    [
        (usage(1_000_000, 0), price("0.15", "0.60"), "0.15"),
        (usage(0, 1_000_000), price("0.15", "0.60"), "0.60"),
        (usage(1, 1), price("0.15", "0.60"), "0.00000075"),
        (usage(100, 0, 40), price("1", "0", "0.1"), "0.000064"),
        (usage(100, 0, 40), price("1", "0"), "0.0001"),
        (usage(100, 0, 40), price("1", "0", "0"), "0.00006"),
        (usage(0, 0), price("1", "1"), "0"),
        (usage(10, 10), price("0", "0"), "0"),
    ],
)
def test_cost(used, priced, cost_usd):
    """Tokens cost their price a million; cached ones their own where there is one; reasoning is not paid twice."""
    assert compute_cost_usd(used, priced) == Decimal(cost_usd)


@given(COUNTS, COUNTS, st.floats(0, 1), PRICES, PRICES, PRICES)
def test_cost_is_exact(n_prompt, n_completion, share, in_usd, out_usd, cached_usd):
    """No fraction of a cent is lost to rounding, so that sums over many calls are right."""
    n_cached = int(n_prompt * share)
    cost = compute_cost_usd(
        usage(n_prompt, n_completion, n_cached), price(in_usd, out_usd, cached_usd)
    )
    exact = (
        (n_prompt - n_cached) * Fraction(in_usd)
        + n_cached * Fraction(cached_usd)
        + n_completion * Fraction(out_usd)
    ) / 1_000_000
    assert Fraction(cost) == exact
