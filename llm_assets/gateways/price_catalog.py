"""What a call to a model costs: by the config, by the published prices, or not known."""

from collections.abc import Callable
from decimal import Decimal

from llm_assets.config.embed import EmbedSettings
from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.task import LLMSettings
from llm_assets.core.calls import Usage
from llm_assets.core.pricing import compute_cost_usd

ComputeCost = Callable[[Usage], Decimal | None]
"""The cost of a call in US dollars, or None where it is not known. Never 0 for want of a price."""


def find_price(
    llm: LLMSettings | EmbedSettings, endpoint: EndpointSettings, *, base_url: str
) -> ComputeCost:
    """How the calls of a task are priced: the model's own price, the endpoint's, the published one, or unknown."""
    own = llm.price or endpoint.price
    if own is not None:
        return lambda usage: compute_cost_usd(usage, own)
    return _build_published_price(llm.model, base_url)


def _build_published_price(model: str, base_url: str) -> ComputeCost:
    """The price list that the genai-prices package carries; nothing is downloaded."""
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    def compute(usage: Usage) -> Decimal | None:
        try:
            price = calc_price(
                PricedUsage(
                    input_tokens=usage.prompt_tokens,
                    cache_read_tokens=usage.cached_tokens,
                    output_tokens=usage.completion_tokens,
                ),
                model_ref=model,
                provider_api_url=base_url,
            )
        except LookupError:
            return None
        return price.total_price

    return compute
