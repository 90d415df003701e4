import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.paired_intervals import (
    PairedCounts,
    count_pairs,
    find_mcnemar_p,
    paired_mean_interval,
    paired_share_interval,
)

COUNT = st.integers(0, 60)
COUNTS = st.tuples(COUNT, COUNT, COUNT, COUNT).filter(any)


def build_counts(n_both: int, n_only_a: int, n_only_b: int, n_neither: int) -> PairedCounts:
    return PairedCounts(n_both=n_both, n_only_a=n_only_a, n_only_b=n_only_b, n_neither=n_neither)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((36, 2, 12, 0), 0.0569, 0.3404),
        ((36, 0, 14, 0), 0.1528, 0.4167),
        ((36, 12, 2, 0), -0.3404, -0.0569),
    ],
)
def test_published_intervals(counts, low, high):
    """Two examples of the paper that describes the method, and one of them the other way round."""
    interval = paired_share_interval(build_counts(*counts))
    assert interval is not None
    assert (interval.low, interval.high) == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )


@given(COUNTS)
def test_a_difference_lies_within_its_interval(counts):
    """It always has a width and never leaves -1 to 1; the other way round it is the same interval, mirrored."""
    n_both, n_only_a, n_only_b, n_neither = counts
    interval = paired_share_interval(build_counts(*counts))
    mirrored = paired_share_interval(build_counts(n_both, n_only_b, n_only_a, n_neither))
    assert interval is not None
    assert mirrored is not None
    difference = (n_only_b - n_only_a) / sum(counts)
    assert -1 - 1e-9 <= interval.low <= difference + 1e-9
    assert difference - 1e-9 <= interval.high <= 1 + 1e-9
    assert interval.low < interval.high
    assert (mirrored.low, mirrored.high) == (
        pytest.approx(-interval.high, abs=1e-9),
        pytest.approx(-interval.low, abs=1e-9),
    )


@pytest.mark.parametrize(
    ("n_only_a", "n_only_b", "p"),
    [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 0.0625), (2, 10, 0.038574), (121, 59, 4.434643e-06)],
)
def test_chance_of_a_difference(n_only_a, n_only_b, p):
    """The binomial test of the items that differ; those that do not say nothing of it."""
    for n_both in (0, 50):
        counts = build_counts(n_both, n_only_a, n_only_b, 7)
        assert find_mcnemar_p(counts) == pytest.approx(p, rel=1e-4)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20))
def test_pairs_are_counted(pairs):
    """Each in one of four ways."""
    counts = count_pairs(pairs)
    assert counts.n_total == len(pairs)
    assert counts.n_both + counts.n_only_a == sum(a for a, _ in pairs)
    assert counts.n_both + counts.n_only_b == sum(b for _, b in pairs)


def test_a_mean_difference_is_taken_pair_by_pair():
    """What is the same in both halves of a pair does not make it less sure."""
    interval = paired_mean_interval([(10, 11), (200, 201.5), (3_000, 3_000.5)])
    assert interval is not None
    assert interval.low == pytest.approx(1 - 4.302653 * 0.5 / 3**0.5, abs=1e-4)
    assert interval.high < 2.3
    assert paired_mean_interval([(1, 2)]) is None
    assert paired_share_interval(build_counts(0, 0, 0, 0)) is None
