import pytest

from llm_assets.core.number_words import render_count, render_rough_percent


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (1234, "1,234 items")]
)
def test_only_one_thing_is_singular(n, text):
    """A count names its things as one says them, with thousands apart."""
    assert render_count(n, "item") == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (0.5, "50%"), (2 / 3, "66.7%"), (0.00123, "0.123%"), (1, "100%")]
)
def test_a_share_has_three_digits(share, text):
    """A small share is not shown as nothing, and a round one has no idle zeros."""
    assert render_rough_percent(share) == text
