import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.charts import HEIGHT, WIDTH, build_histogram_chart, build_series_chart
from llm_assets.core.histogram import build_histogram


@given(st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=120))
def test_every_column_stands_inside_of_the_canvas(values):
    """Nothing is drawn over an edge, and what is not zero can be seen."""
    names = [f"batch_{number}" for number in range(len(values))]
    chart = build_series_chart(values, names, title="t", note="", shown=names)
    for column, value in zip(chart.columns, values, strict=True):
        assert 0 <= column.x <= column.x + column.width <= WIDTH
        assert 0 <= column.y <= column.y + column.height <= HEIGHT
        assert (column.height > 0) is (value > 0)
    assert all(0 <= label.x <= WIDTH for label in chart.labels)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, 2, 3], ["1", "2", "3"]),
        ([1, 1, 1], ["1"]),
        ([0.1, 0.2, 0.31, 0.9], None),
    ],
)
def test_labels_say_what_columns_stand_for(values, labels):
    """A few columns have a label each; many have one at both ends and in the middle."""
    histogram = build_histogram(values)
    assert histogram is not None
    chart = build_histogram_chart(histogram, title="t", note="", unit="s")
    texts = [label.text for label in chart.labels]
    assert texts == labels if labels else len(texts) == 3


def test_a_column_says_what_it_is():
    """Pointed at, it tells its range with the unit, and its count."""
    histogram = build_histogram([1.05 + number / 10 for number in range(20)] * 20 + [900.0])
    assert histogram is not None
    chart = build_histogram_chart(histogram, title="t", note="", unit="s")
    assert chart.columns[-1].title == "2.9 s and more: 21"
    assert chart.columns[0].title == "1 to 1.1 s: 20"
    assert chart.peak == "21"
