import socket
from decimal import Decimal

import pytest

from llm_assets.config.endpoint import PRESETS, EndpointSettings, PriceSettings
from llm_assets.config.task import LLMSettings
from llm_assets.core.calls import Usage
from llm_assets.gateways.price_catalog import find_price

USAGE = Usage(prompt_tokens=1_000_000, completion_tokens=1_000_000, cached_tokens=400_000)
OPENAI = "https://api.openai.com/v1"
OWN_PRICE = PriceSettings(input_usd=Decimal(1), output_usd=Decimal(2))
HOUSE_PRICE = PriceSettings(input_usd=Decimal(10), output_usd=Decimal(20))


def price(llm: LLMSettings, endpoint: EndpointSettings, base_url: str) -> Decimal | None:
    return find_price(llm, endpoint, base_url=base_url)(USAGE)


@pytest.mark.parametrize(
    ("own", "house", "expected"),
    [
        (OWN_PRICE, HOUSE_PRICE, Decimal(3)),
        (None, HOUSE_PRICE, Decimal(30)),
        (OWN_PRICE, None, Decimal(3)),
    ],
)
def test_the_nearest_price_counts(own, house, expected):
    """A task's price comes before its endpoint's, and that before the published one."""
    llm = LLMSettings(model="gpt-4.1-mini", price=own)
    endpoint = EndpointSettings(base_url=OPENAI, price=house)
    assert price(llm, endpoint, OPENAI) == expected


def test_a_published_price_is_found_offline(monkeypatch: pytest.MonkeyPatch):
    """The list is part of an installed package; cached prompt tokens cost less than others."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    compute = find_price(LLMSettings(model="gpt-4.1-mini"), PRESETS["openai"], base_url=OPENAI)
    cached = compute(USAGE)
    plain = compute(Usage(prompt_tokens=1_000_000, completion_tokens=1_000_000))
    assert (plain, cached) == (Decimal("2.00"), Decimal("1.88"))


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("a-model-of-our-own", OPENAI),
        ("gpt-4.1-mini", "http://127.0.0.1:9/v1"),
        ("", "http://intranet/v1"),
    ],
)
def test_an_unknown_price_is_unknown_and_not_nothing(model, base_url):
    """Neither an unknown model nor a known name at an unknown address has a price."""
    assert price(LLMSettings(model=model), EndpointSettings(base_url=base_url), base_url) is None


@pytest.mark.parametrize("name", ["offline", "ollama", "vllm", "llama.cpp"])
def test_a_server_of_ones_own_costs_nothing(name):
    """Models on one's own machine are free, which is known."""
    assert price(LLMSettings(model="any"), PRESETS[name], "http://127.0.0.1/v1") == 0
