"""What the tokens of a call cost."""

from decimal import Decimal

from llm_assets.config.endpoint import PriceSettings
from llm_assets.core.calls import Usage

TOKENS_PER_PRICE = Decimal(1_000_000)


def compute_cost_usd(usage: Usage, price: PriceSettings) -> Decimal:
    """The exact cost in US dollars at a price a person set."""
    cached_price = price.input_usd if price.cached_input_usd is None else price.cached_input_usd
    n_uncached = usage.prompt_tokens - usage.cached_tokens
    total = (
        n_uncached * price.input_usd
        + usage.cached_tokens * cached_price
        + usage.completion_tokens * price.output_usd
    )
    return total / TOKENS_PER_PRICE
