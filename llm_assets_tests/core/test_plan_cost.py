from decimal import Decimal
from fractions import Fraction

import pytest

from llm_assets.config.endpoint import PriceSettings
from llm_assets.core.calls import Usage
from llm_assets.core.ids import CallKey, Sha256
from llm_assets.core.money import render_amount
from llm_assets.core.plan_cost import (
    FEEDBACK_TOKENS,
    CallForecast,
    FurtherCalls,
    build_estimate,
    forecast_further,
)
from llm_assets.core.pricing import compute_cost_usd
from llm_assets.core.token_forecast import PastAnswer, TokenRange

PRICE = PriceSettings(input_usd=Decimal(1), output_usd=Decimal(10), cached_input_usd=Decimal("0.1"))
ONE = TokenRange(low=100, likely=100, high=100)
NONE = FurtherCalls(likely=0, high=0)


def price(usage: Usage) -> Decimal:
    return compute_cost_usd(usage, PRICE)


def forecast(n_calls=10, *, n_sure=None, further=NONE, cached=(), price=price):
    return CallForecast(
        n_sure=n_calls if n_sure is None else n_sure,
        n_calls=n_calls,
        further=further,
        prompt_tokens=ONE,
        completion_tokens=ONE,
        cached_shares=tuple(cached),
        price=price,
    )


def estimate(*forecasts):
    return build_estimate(forecasts, is_guess=False, is_approximate=True)


def read_cost(*forecasts):
    cost = estimate(*forecasts).cost_usd
    assert cost is not None
    return [render_amount(amount) for amount in (cost.low_usd, cost.likely_usd, cost.high_usd)]


def test_cost_of_calls_that_are_known():
    """Ten calls of 100 and 100 tokens are exact in the middle, with a tenth of room on both sides."""
    assert read_cost(forecast()) == ["0.0099", "0.011", "0.0121"]
    tokens = estimate(forecast()).prompt_tokens
    assert (tokens.low, tokens.likely, tokens.high) == (900, 1000, 1100)


def test_further_attempts_carry_the_answer_before_them():
    """The high end counts further attempts with longer prompts; the low end counts none."""
    further = FurtherCalls(likely=1, high=2)
    again = (110 + 110 + FEEDBACK_TOKENS) * 1 + 110 * 10
    high = Decimal(10 * 110 * 11 + 2 * again) / 1_000_000
    low, likely, found = read_cost(forecast(further=further))
    assert (low, likely, Decimal(found)) == ("0.0099", "0.0121", high)


def test_the_cache_makes_the_low_end_cheaper():
    """The share that was read from a cache before is likely, its best case is low, and the high end has none."""
    shares = [Fraction(0), Fraction(1)]
    assert read_cost(forecast(cached=shares)) == ["0.00909", "0.01055", "0.0121"]


def test_calls_that_may_be_spared():
    """The low end counts the sure calls only."""
    assert read_cost(forecast(n_sure=0))[0] == "0"


def test_purposes_add_up():
    """Answers and verdicts have prices of their own and one sum."""
    free = forecast(price=lambda _: Decimal(0))
    assert read_cost(forecast(), free) == read_cost(forecast())
    assert estimate(forecast(), free).prompt_tokens.likely == 2000


def test_an_unknown_price_makes_the_sum_unknown():
    """Nothing counts as free for want of a price, unless no such call is sent; tokens are said all the same."""
    unknown = forecast(price=lambda _: None)
    assert estimate(forecast(), unknown).cost_usd is None
    assert estimate(unknown).prompt_tokens.likely == 1000
    assert read_cost(forecast(), forecast(0, price=lambda _: None)) == read_cost(forecast())


def test_nothing_to_send_costs_nothing():
    """Without calls every number is zero, whatever the price."""
    nothing = build_estimate((), is_guess=False, is_approximate=False)
    assert nothing.cost_usd is not None
    assert (nothing.cost_usd.low_usd, nothing.cost_usd.high_usd) == (0, 0)
    assert nothing.completion_tokens == TokenRange(low=0, likely=0, high=0)


@pytest.mark.parametrize(
    ("attempts", "n_calls", "n_failed", "expected"),
    [
        ([1, 1, 1, 1], 100, 0, (0, 5)),
        ([1, 1, 1, 1], 1, 0, (0, 1)),
        ([1, 1, 1, 1, 2], 100, 0, (25, 30)),
        ([1, 1, 1, 1], 100, 4, (0, 9)),
        ([], 100, 0, (0, 25)),
        ([], 0, 0, (0, 0)),
    ],
)
def test_how_many_further_attempts(attempts, n_calls, n_failed, expected):
    """The past says how many are likely; the high end has more, and all those of items that failed."""
    past = [
        PastAnswer(
            key=CallKey("k"),
            settings_sha256=Sha256("s"),
            prompt_tokens=1,
            cached_tokens=0,
            completion_tokens=1,
            attempt=number,
        )
        for number in attempts
    ]
    further = forecast_further(past, n_calls=n_calls, n_failed=n_failed)
    assert (further.likely, further.high) == expected
