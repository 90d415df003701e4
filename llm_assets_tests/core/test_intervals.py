import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.intervals import mean_interval, wilson_interval


@pytest.mark.parametrize(
    ("n_right", "n_total", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (7, 10, 0.3968, 0.8922),
        (1, 29, 0.0061, 0.1718),
        (80, 100, 0.7112, 0.8666),
    ],
)
def test_a_share_has_wilsons_interval(n_right: int, n_total: int, low: float, high: float):
    """The ends are those of published tables, to four digits."""
    interval = wilson_interval(n_right, n_total)
    assert interval is not None
    assert (interval.low, interval.high) == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_within_its_interval_and_the_interval_within_0_and_1(counts: tuple[int, int]):
    """However few there are, and whether all or none are right."""
    n_right, n_total = counts
    interval = wilson_interval(n_right, n_total)
    assert interval is not None
    assert 0 <= interval.low <= n_right / n_total <= interval.high <= 1
    assert interval.low < interval.high


def test_a_mean_has_an_interval_that_narrows_with_more_values():
    """Four times the values halve the width, but for the correction of a small sample."""
    few, many = mean_interval([0.0, 1.0] * 50), mean_interval([0.0, 1.0] * 200)
    assert few is not None
    assert many is not None
    assert (few.low + few.high) / 2 == pytest.approx(0.5)
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(2, rel=0.02)
    assert few.high - 0.5 == pytest.approx(1.984 * 0.5 / 10, rel=0.01)


def test_few_values_have_a_wide_interval():
    """Worked by hand: 1, 2, 3, 4 and 6 have the mean 3.2, the spread 1.9235, and 2.7764 for four degrees of freedom."""
    interval = mean_interval([1, 2, 3, 4, 6])
    assert interval is not None
    assert interval.low == pytest.approx(3.2 - 2.7764 * 1.9235 / 5**0.5, abs=1e-3)
    assert interval.high == pytest.approx(3.2 + 2.7764 * 1.9235 / 5**0.5, abs=1e-3)


def test_nothing_has_no_interval():
    """Without a value there is no share, and one value says nothing of how values vary."""
    assert wilson_interval(0, 0) is None
    assert mean_interval([]) is None
    assert mean_interval([0.5]) is None
