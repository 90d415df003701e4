import pytest

from llm_assets.core.student import find_t_quantile


@pytest.mark.parametrize(
    ("n_free", "confidence", "distance"),
    [
        (1, 0.9, 6.313752),
        (1, 0.95, 12.706205),
        (1, 0.99, 63.656741),
        (2, 0.95, 4.302653),
        (3, 0.95, 3.182446),
        (4, 0.95, 2.776445),
        (5, 0.99, 4.032143),
        (9, 0.95, 2.262157),
        (10, 0.9, 1.812461),
        (29, 0.95, 2.045230),
        (30, 0.95, 2.042272),
        (31, 0.99, 2.744042),
        (60, 0.95, 2.000298),
        (5000, 0.95, 1.960439),
    ],
)
def test_published_quantiles(n_free: int, confidence: float, distance: float):
    """As tables print them, on both sides of where the way of finding them changes."""
    assert find_t_quantile(n_free, confidence) == pytest.approx(distance, abs=2e-5)


def test_more_values_make_surer():
    """The distance shrinks with every degree of freedom, also from one way of finding it to the other."""
    distances = [find_t_quantile(n_free, 0.95) for n_free in range(1, 60)]
    assert distances == sorted(distances, reverse=True)
    assert len(set(distances)) == len(distances)
