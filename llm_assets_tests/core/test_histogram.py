import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.histogram import MAX_BINS, build_histogram

NUMBERS = st.lists(st.floats(min_value=-1e6, max_value=1e6, allow_subnormal=False), min_size=1)


@given(NUMBERS)
def test_every_number_is_counted_once(numbers):
    """The counts add up to the numbers there are, and the bins are few and side by side."""
    histogram = build_histogram(numbers)
    assert histogram is not None
    assert sum(each.count for each in histogram.bins) == len(numbers)
    assert len(histogram.bins) <= MAX_BINS + 1
    for one, other in zip(histogram.bins, histogram.bins[1:], strict=False):
        assert one.end == pytest.approx(other.start)


@given(st.lists(st.integers(min_value=0, max_value=10), min_size=1))
def test_a_few_whole_numbers_have_a_bin_each(numbers):
    """A score from 0 to 10 is shown as it is, and not cut into halves."""
    histogram = build_histogram(numbers)
    assert histogram is not None
    found = {each.start: each.count for each in histogram.bins if each.count}
    assert histogram.is_whole
    assert found == {number: numbers.count(number) for number in numbers}


def test_a_few_outliers_do_not_squeeze_the_rest():
    """One answer that took an hour shares the last bin, which is open; the others keep their shape."""
    histogram = build_histogram([1.0, 1.1, 1.2, 1.3] * 50 + [3600.0])
    assert histogram is not None
    *others, last = histogram.bins
    assert last.is_open
    assert last.start < 2
    assert len([each for each in others if each.count]) >= 3


def test_edges_are_round():
    """People read 0.5 and 0.55, not 0.5000000001."""
    histogram = build_histogram([0.5, 0.55, 0.61, 0.7, 0.98])
    assert histogram is not None
    assert histogram.bins[0].start == 0.5
    assert {round(each.end - each.start, 9) for each in histogram.bins} == {0.025}
    assert max(len(repr(each.start)) for each in histogram.bins) == len("0.525")


def test_no_numbers_make_no_histogram():
    """There is nothing to draw."""
    assert build_histogram([]) is None
