"""What the provider's cache has saved on the calls of a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from llm_assets.core.calls import Purpose, Usage
from llm_assets.core.llm_outputs import Attempt, ItemOutput
from llm_assets.core.plan_cost import Price


def compute_cache_saving(
    records: Sequence[ItemOutput], prices: Mapping[Purpose, Price]
) -> Decimal | None:
    """US dollars that the batch's calls would have cost more without cached tokens, at today's prices.

    None where no token was cached, or a price is not known.
    """
    # Equal items share a call, which is paid once.
    attempts = {attempt.call_key: attempt for record in records for attempt in record.attempts}
    cached = [attempt for attempt in attempts.values() if attempt.cached_tokens]
    savings = [_compute_saving(attempt, prices[attempt.purpose]) for attempt in cached]
    known = [saving for saving in savings if saving is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(savings) else None


def _compute_saving(attempt: Attempt, price: Price) -> Decimal | None:
    usage = Usage(
        prompt_tokens=attempt.prompt_tokens,
        completion_tokens=attempt.completion_tokens,
        cached_tokens=attempt.cached_tokens,
    )
    with_cache, without_cache = price(usage), price(replace(usage, cached_tokens=0))
    if with_cache is None or without_cache is None:
        return None
    return without_cache - with_cache
