"""What the calls of a run are going to cost, in all, and between which bounds.

The low end takes every call at its lower bound and every answer as accepted at once. What is likely has the share of
further attempts that was seen before. The high end takes every call at its upper bound, every item that failed
before at all of its attempts, and one item in twenty more than before with another attempt, which carries the answer
before it along. Both ends have a tenth of room, because a run may be one call, and the past a handful of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from llm_assets.core.calls import Usage
from llm_assets.core.token_forecast import PastAnswer, TokenRange, find_extra_share

ROOM = Fraction(1, 10)
MORE_EXTRA_SHARE = Fraction(1, 20)
GUESSED_EXTRA_SHARE = Fraction(1, 4)
"""Further attempts at the high end, where nothing is on record."""
FEEDBACK_TOKENS = 60
"""The words around the error message that a further attempt is told."""

Price = Callable[[Usage], Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRange:
    """US dollars: at least, likely, at most."""

    low_usd: Decimal
    likely_usd: Decimal
    high_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run is going to take, all of its calls together."""

    prompt_tokens: TokenRange
    completion_tokens: TokenRange
    cost_usd: CostRange | None
    """None where a price is not known."""
    is_guess: bool
    """Whether the lengths of answers are guessed, because none are on record."""
    is_approximate: bool
    """Whether the tokens of the prompts were not counted as the model counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherCalls:
    """Attempts beyond the first ones."""

    likely: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForecast:
    """Calls of one purpose that a run is going to send, and what each of them takes."""

    n_sure: int
    """At the low end."""
    n_calls: int
    """Where every answer is accepted at once."""
    further: FurtherCalls
    prompt_tokens: TokenRange
    completion_tokens: TokenRange
    cached_shares: tuple[Fraction, ...]
    """Of the prompts of earlier calls, what the provider read from its cache; the high end counts on nothing."""
    price: Price


def forecast_further(past: Sequence[PastAnswer], *, n_calls: int, n_failed: int) -> FurtherCalls:
    """How many more attempts so many calls take; `n_failed` are further ones that items which failed may take."""
    share = find_extra_share(past)
    more = MORE_EXTRA_SHARE if past else GUESSED_EXTRA_SHARE
    return FurtherCalls(
        likely=round(n_calls * share), high=ceil(n_calls * (share + more)) + n_failed
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    """So many calls that take the same."""

    n_calls: int
    usage: Usage
    price: Price


def build_estimate(
    forecasts: Sequence[CallForecast], *, is_guess: bool, is_approximate: bool
) -> Estimate:
    """The sum over all calls; no calls cost nothing, whatever their price."""
    low = [_take_low(forecast) for forecast in forecasts]
    likely = [_take_likely(forecast) for forecast in forecasts]
    high = [calls for forecast in forecasts for calls in _take_high(forecast)]
    costs = [_sum_cost(calls) for calls in (low, likely, high)]
    return Estimate(
        prompt_tokens=_sum_range(low, likely, high, lambda usage: usage.prompt_tokens),
        completion_tokens=_sum_range(low, likely, high, lambda usage: usage.completion_tokens),
        cost_usd=_build_cost_range(*costs),
        is_guess=is_guess,
        is_approximate=is_approximate,
    )


def _take_low(forecast: CallForecast) -> _Calls:
    prompt_tokens = floor(forecast.prompt_tokens.low * (1 - ROOM))
    usage = Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=floor(forecast.completion_tokens.low * (1 - ROOM)),
        cached_tokens=floor(prompt_tokens * max(forecast.cached_shares, default=0)),
    )
    return _Calls(forecast.n_sure, usage, forecast.price)


def _take_likely(forecast: CallForecast) -> _Calls:
    shares = forecast.cached_shares
    prompt_tokens = forecast.prompt_tokens.likely
    usage = Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=forecast.completion_tokens.likely,
        cached_tokens=floor(prompt_tokens * sum(shares, Fraction(0)) / max(1, len(shares))),
    )
    return _Calls(forecast.n_calls + forecast.further.likely, usage, forecast.price)


def _take_high(forecast: CallForecast) -> tuple[_Calls, _Calls]:
    """The first calls, and the further attempts, which carry the answer before them along."""
    prompt_tokens = ceil(forecast.prompt_tokens.high * (1 + ROOM))
    completion_tokens = ceil(forecast.completion_tokens.high * (1 + ROOM))
    first = Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    again = Usage(
        prompt_tokens=prompt_tokens + completion_tokens + FEEDBACK_TOKENS,
        completion_tokens=completion_tokens,
    )
    return (
        _Calls(forecast.n_calls, first, forecast.price),
        _Calls(forecast.further.high, again, forecast.price),
    )


def _sum_range(
    low: Sequence[_Calls],
    likely: Sequence[_Calls],
    high: Sequence[_Calls],
    read: Callable[[Usage], int],
) -> TokenRange:
    sums = [sum(calls.n_calls * read(calls.usage) for calls in end) for end in (low, likely, high)]
    return TokenRange(low=sums[0], likely=sums[1], high=sums[2])


def _sum_cost(parts: Sequence[_Calls]) -> Decimal | None:
    """The exact sum, or None where a single price is missing."""
    total_usd = Decimal(0)
    for calls in parts:
        if calls.n_calls == 0:
            continue
        cost_usd = calls.price(calls.usage)
        if cost_usd is None:
            return None
        total_usd += cost_usd * calls.n_calls
    return total_usd


def _build_cost_range(
    low_usd: Decimal | None, likely_usd: Decimal | None, high_usd: Decimal | None
) -> CostRange | None:
    if low_usd is None or likely_usd is None or high_usd is None:
        return None
    return CostRange(low_usd=low_usd, likely_usd=likely_usd, high_usd=high_usd)
