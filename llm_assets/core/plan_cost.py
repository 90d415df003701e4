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
GUESSED_EXTRA_SHARE = Fraction(1, 2)
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
class CallForecast:
    """Calls of one purpose that a run is going to send, and what each of them takes."""

    n_calls: int
    """Where every answer is accepted at once."""
    n_sure_extra: int
    """Further calls that the high end counts on in any case."""
    prompt_tokens: TokenRange
    completion_tokens: TokenRange
    past: tuple[PastAnswer, ...]
    """What further attempts and the provider's cache are judged by; nothing where there is no past."""
    price: Price


@dataclass(frozen=True, slots=True)
class _Calls:
    """So many calls that take the same."""

    n_calls: int
    usage: Usage
    price: Price


def build_estimate(
    forecasts: Sequence[CallForecast], *, is_guess: bool, is_approximate: bool
) -> Estimate:
    """The sum over all calls; without any calls it is nothing, whatever the price."""
    active = [forecast for forecast in forecasts if forecast.n_calls]
    low = [_take_low(forecast) for forecast in active]
    likely = [_take_likely(forecast) for forecast in active]
    high = [calls for forecast in active for calls in _take_high(forecast)]
    costs = [_sum_cost(calls) for calls in (low, likely, high)]
    return Estimate(
        prompt_tokens=_sum_range(low, likely, high, lambda usage: usage.prompt_tokens),
        completion_tokens=_sum_range(low, likely, high, lambda usage: usage.completion_tokens),
        cost_usd=_build_cost_range(*costs),
        is_guess=is_guess and bool(active),
        is_approximate=is_approximate and bool(active),
    )


def _take_low(forecast: CallForecast) -> _Calls:
    prompt_tokens = floor(forecast.prompt_tokens.low * (1 - ROOM))
    cached_share = max(_list_cached_shares(forecast), default=Fraction(0))
    usage = Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=floor(forecast.completion_tokens.low * (1 - ROOM)),
        cached_tokens=floor(prompt_tokens * cached_share),
    )
    return _Calls(forecast.n_calls, usage, forecast.price)


def _take_likely(forecast: CallForecast) -> _Calls:
    shares = _list_cached_shares(forecast)
    cached_share = sum(shares, Fraction(0)) / max(1, len(shares))
    usage = Usage(
        prompt_tokens=forecast.prompt_tokens.likely,
        completion_tokens=forecast.completion_tokens.likely,
        cached_tokens=floor(forecast.prompt_tokens.likely * cached_share),
    )
    n_extra = round(forecast.n_calls * find_extra_share(forecast.past))
    return _Calls(forecast.n_calls + n_extra, usage, forecast.price)


def _take_high(forecast: CallForecast) -> tuple[_Calls, _Calls]:
    """The first calls, and the further attempts."""
    prompt_tokens = ceil(forecast.prompt_tokens.high * (1 + ROOM))
    completion_tokens = ceil(forecast.completion_tokens.high * (1 + ROOM))
    first = Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    again = Usage(
        prompt_tokens=prompt_tokens + completion_tokens + FEEDBACK_TOKENS,
        completion_tokens=completion_tokens,
    )
    share = find_extra_share(forecast.past)
    share += MORE_EXTRA_SHARE if forecast.past else GUESSED_EXTRA_SHARE
    n_extra = ceil(forecast.n_calls * share) + forecast.n_sure_extra
    return (
        _Calls(forecast.n_calls, first, forecast.price),
        _Calls(n_extra, again, forecast.price),
    )


def _list_cached_shares(forecast: CallForecast) -> list[Fraction]:
    return [
        Fraction(answer.cached_tokens, answer.prompt_tokens)
        for answer in forecast.past
        if answer.prompt_tokens
    ]


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
