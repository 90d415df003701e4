import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.run_summary import find_quantile

SECONDS = st.integers(0, 10**6).map(lambda number: number / 1000)


@pytest.mark.parametrize(
    ("values", "share", "value"),
    [
        ([], 0.5, None),
        ([3.0], 0.5, 3.0),
        ([3.0], 0.95, 3.0),
        ([5.0, 1.0], 0.5, 1.0),
        ([5.0, 1.0], 0.95, 5.0),
        ([float(number) for number in range(1, 101)], 0.95, 95.0),
        ([float(number) for number in range(1, 101)], 0.07, 7.0),
        ([1.23456], 0.5, 1.2346),
    ],
)
def test_quantile(values, share, value):
    """The quantile is one of the values, found by its rank."""
    assert find_quantile(values, share) == value


@given(st.lists(SECONDS, min_size=1, max_size=40), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_share_that_does_not_exceed_the_quantile(values, share):
    """At least this share of the values is not above the quantile, and below it there are fewer."""
    quantile = find_quantile(values, share)
    assert quantile in values
    assert sum(value <= quantile for value in values) >= round(share * len(values), 6)
    assert sum(value < quantile for value in values) < round(share * len(values), 6)
