from llm_assets.core.output_spread import (
    LabelSpread,
    NumberSpread,
    build_spreads,
    build_verdict_spreads,
)
from llm_assets_tests.core.test_report import build_item

OUTPUTS = [
    {"label": "refund", "score": 1, "sure": True, "text": "one", "mixed": 1, "nested": {"a": 1}},
    {"label": "order", "score": 4, "sure": False, "text": "two", "mixed": "x", "nested": {"a": 1}},
    {"label": "refund", "score": 2.5, "sure": True, "text": "six", "mixed": 2, "nested": {"a": 1}},
]


def build_items():
    return [build_item(row, output=output) for row, output in enumerate(OUTPUTS)]


def test_numbers_and_labels_have_a_spread():
    """Free text, nested values and fields of mixed types have none; truth values are labels."""
    spreads = {each.field: each for each in build_spreads(build_items())}
    assert spreads.keys() == {"label", "score", "sure"}
    label, score, sure = spreads["label"], spreads["score"], spreads["sure"]
    assert isinstance(label, LabelSpread)
    assert label.counts == (("refund", 2), ("order", 1))
    assert isinstance(sure, LabelSpread)
    assert sure.counts == (("true", 2), ("false", 1))
    assert isinstance(score, NumberSpread)
    assert (score.lowest, score.mean, score.highest) == (1, 2.5, 4)


def test_items_without_an_output_do_not_count():
    """A failed item has no fields."""
    failed = build_item(3, outcome="failed", reason="no")
    assert build_spreads([failed]) == ()
    (label, *_) = build_spreads([*build_items(), failed])
    assert label.n_values == 3


def test_verdicts_have_spreads_of_their_own():
    """The judge's points are shown by his name; that every accepted output was accepted is not."""
    items = [
        build_item(row, output=output, verdict={"verdict": True, "points": row})
        for row, output in enumerate(OUTPUTS)
    ]
    (points,) = build_verdict_spreads(items)
    assert isinstance(points, NumberSpread)
    assert (points.field, points.lowest, points.highest) == ("judge.points", 0, 2)
