from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.task import BudgetSettings
from llm_assets.core.budget import Amount, RunAccount, bound_usage, render_warning
from llm_assets.core.calls import Message
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets_tests.fakes import build_request, build_settings


def build_amount(cost_usd: str | int = 0, n_tokens: int = 0) -> Amount:
    return Amount(cost_usd=Decimal(cost_usd), n_tokens=n_tokens)


def build_account(**caps: object) -> RunAccount:
    return RunAccount(caps=BudgetSettings.model_validate(caps))


amounts = st.builds(
    lambda cents, tokens: Amount(cost_usd=Decimal(cents) / 100, n_tokens=tokens),
    st.integers(0, 300),
    st.integers(0, 300),
)
steps = st.lists(
    st.one_of(
        amounts.map(lambda worst: ("send", worst)),
        st.tuples(st.integers(0, 99), st.floats(0, 1)).map(lambda drawn: ("settle", drawn)),
    ),
    max_size=100,
)


@given(st.integers(1, 1000), st.integers(1, 1000), steps)
def test_no_interleaving_passes_a_cap(cap_cents, cap_tokens, steps):
    """Spent and held together stay within both caps, in whatever order calls are sent and settled."""
    cap_usd = Decimal(cap_cents) / 100
    account = build_account(per_run_usd=cap_usd, per_run_tokens=cap_tokens)
    under_way: list[Amount] = []
    for kind, drawn in steps:
        if kind == "send" and account.fits(drawn):
            account.hold(drawn)
            under_way.append(drawn)
        elif kind == "settle" and under_way:
            number, share = drawn
            worst = under_way.pop(number % len(under_way))
            used = Amount(
                cost_usd=worst.cost_usd * Decimal(share), n_tokens=int(worst.n_tokens * share)
            )
            account.settle(worst, used)
        assert account.spent_usd + account.held_usd <= cap_usd
        assert account.spent_tokens + account.held_tokens <= cap_tokens
        assert account.held_tokens == sum(worst.n_tokens for worst in under_way)


def test_a_cap_is_used_to_the_last_cent():
    """What fits exactly is sent, and a ten-thousandth of a cent more is not."""
    account = build_account(per_run_usd="0.03")
    account.hold(build_amount("0.02"))
    assert account.fits(build_amount("0.01"))
    assert not account.fits(build_amount("0.010001"))


def test_what_is_held_is_no_reason_to_give_up():
    """Calls under way may turn out cheap, so only what is spent tells that a call can never fit."""
    account = build_account(per_run_usd=1)
    account.hold(build_amount("0.9"))
    assert not account.fits(build_amount("0.2"))
    assert account.find_passed_cap(build_amount("0.2")) is None
    account.settle(build_amount("0.9"), build_amount("0.85"))
    passed = account.find_passed_cap(build_amount("0.2"))
    assert passed is not None
    assert "1 USD for a run" in passed.reason


def test_tokens_are_capped_without_a_price():
    """A cap on tokens counts what calls hold and take, whatever they cost."""
    account = build_account(per_run_tokens=100)
    account.hold(build_amount(n_tokens=60))
    assert not account.fits(build_amount(n_tokens=41))
    account.settle(build_amount(n_tokens=60), build_amount(n_tokens=10))
    assert account.fits(build_amount(n_tokens=90))
    passed = account.find_passed_cap(build_amount(n_tokens=91))
    assert passed is not None
    assert "100 tokens for a run" in passed.reason


@pytest.mark.parametrize(
    ("caps", "spent", "day_usd", "warning"),
    [
        ({"per_run_usd": 10}, build_amount("7.99"), 0, None),
        (
            {"per_run_usd": 10},
            build_amount(8),
            0,
            "80% of the budget of 10 USD for a run is spent.",
        ),
        ({"per_run_usd": 10, "warn_at": 0.9}, build_amount(8), 0, None),
        (
            {"per_run_usd": 10, "per_day_usd": 20},
            build_amount(1),
            18,
            "95% of the budget of 20 USD for a day is spent.",
        ),
        (
            {"per_run_tokens": 100},
            build_amount(0, 100),
            0,
            "100% of the budget of 100 tokens for a run is spent.",
        ),
        ({}, build_amount(10**6, 10**9), 0, None),
    ],
)
def test_warnings(caps, spent, day_usd, warning):
    """A person is told of the cap of which most is spent, from the share on that they set."""
    account = build_account(**caps)
    account.day_usd = Decimal(day_usd)
    account.settle(build_amount(), spent)
    use = account.find_tightest_use()
    assert (use and render_warning(use)) == warning


texts = st.text(max_size=50)


@given(st.lists(texts, min_size=1, max_size=5), st.integers(1, 1000))
def test_no_count_passes_the_bound(contents, max_output_tokens):
    """The bound is at least a token for every byte, and so above what any tokenizer finds."""
    messages = [Message(role="user", content=content) for content in contents]
    request = build_request(messages=messages)
    bound = bound_usage(request, max_output_tokens=max_output_tokens)
    assert bound.completion_tokens == max_output_tokens
    assert bound.prompt_tokens >= sum(len(text.encode("utf-8", "replace")) for text in contents)
    assert bound.prompt_tokens >= sum(count_tokens_approximately(text) for text in contents)


def test_the_bound_counts_the_schema():
    """A schema that is sent beside the messages is charged for, too."""
    schema = {"type": "json_schema", "json_schema": {"name": "a" * 1000}}
    plain, strict = (
        bound_usage(
            build_request(settings=build_settings(response_format=sent)), max_output_tokens=1
        )
        for sent in (None, schema)
    )
    assert strict.prompt_tokens - plain.prompt_tokens > 1000
