from decimal import Decimal

import pytest

from llm_assets.config.endpoint import PriceSettings
from llm_assets.core.cache_saving import compute_cache_saving
from llm_assets.core.calls import Purpose, Usage
from llm_assets.core.ids import CallKey, RowId, WorkId
from llm_assets.core.llm_outputs import Attempt, ItemOutput
from llm_assets.core.plan_cost import Price
from llm_assets.core.pricing import compute_cost_usd

PRICE = PriceSettings(input_usd=Decimal(2), cached_input_usd=Decimal("0.5"), output_usd=Decimal(10))


def price(usage: Usage) -> Decimal:
    return compute_cost_usd(usage, PRICE)


def build_item(*cached_tokens: int, key="k") -> ItemOutput:
    return ItemOutput(
        work_id=WorkId("w"),
        row_ids=(RowId("r"),),
        group_key=None,
        group_context_id=None,
        outcome="accepted",
        output={},
        verdict=None,
        reason=None,
        attempts=tuple(
            Attempt(
                number=number,
                purpose="judge" if number else "generate",
                call_key=CallKey(f"{key}{number}"),
                finish_reason="stop",
                problem=None,
                is_repaired=False,
                prompt_tokens=10_000,
                completion_tokens=50,
                cached_tokens=n_tokens,
                is_approximate=False,
                cost_usd=None,
                answered_at=None,
            )
            for number, n_tokens in enumerate(cached_tokens)
        ),
        accepted_at=None,
    )


@pytest.mark.parametrize(
    ("items", "saving"),
    [
        ([], None),
        ([build_item(0)], None),
        ([build_item(1_000_000 // 2)], Decimal("0.75")),
        ([build_item(2000, 4000), build_item(0, key="l")], Decimal("0.009")),
        ([build_item(2000), build_item(2000)], Decimal("0.003")),
    ],
)
def test_what_the_cache_saved(items, saving):
    """The exact difference to uncached prompts, each call once; nothing is said where nothing was cached."""
    prices: dict[Purpose, Price] = {"generate": price, "judge": price}
    assert compute_cache_saving(items, prices) == saving


def test_an_unknown_price_makes_an_unknown_saving():
    """A saving of some calls alone would read as that of all."""
    prices: dict[Purpose, Price] = {"generate": price, "judge": lambda _: None}
    assert compute_cache_saving([build_item(2000, 0)], prices) == Decimal("0.003")
    assert compute_cache_saving([build_item(2000, 10)], prices) is None
