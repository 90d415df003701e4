import pytest
from markdown_it import MarkdownIt

from llm_assets.config.expected import ExpectedSettings
from llm_assets.core.assessment import AssessmentMeta
from llm_assets.core.assessment_text import (
    MANY_GROUPS,
    list_notes,
    render_assessment_markdown,
    render_total,
)
from llm_assets_tests.core.labelled import assess, build_item
from llm_assets_tests.core.test_report import build_item as build_reported_item
from llm_assets_tests.core.test_report import render, report_on

HOSTILE = "<img src=x onerror=alert(1)> | `x`\n# y"


def build_meta(*pairs: tuple[str, str | None], **changes: object) -> AssessmentMeta:
    """Of items with what was expected and what was answered; None has no output."""
    settings = ExpectedSettings.model_validate({"fields": {"mood": "label"}} | changes)
    rows = [{"label": expected, "shop": f"s{at}"} for at, (expected, _) in enumerate(pairs)]
    items = [
        build_item({"mood": found}, row_ids=(f"r{at}",))
        if found is not None
        else build_item(row_ids=(f"r{at}",), outcome="failed")
        for at, (_, found) in enumerate(pairs, start=1)
    ]
    return assess(settings, rows, items).meta


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        (
            build_meta(("a", "a"), ("b", "b"), ("a", "b"), ("b", "b")),
            "75.0% right answers of 4 items; 95% interval 30.1% to 95.4%",
        ),
        (
            build_meta(
                ("a,b", "a"), ("a", "a"), fields={"mood": {"column": "label", "scorer": "f1"}}
            ),
            "0.833 in the mean of 2 items; 95% interval 0.000 to 1.000",
        ),
        (
            build_meta(("a", "a"), fields={"mood": {"column": "label", "scorer": "f1"}}),
            "1.000 in the mean of 1 item; too few for an interval",
        ),
        (build_meta(("", "a")), "no item has a score"),
    ],
)
def test_a_score_is_told_with_how_sure_it_is(meta: AssessmentMeta, text: str):
    """A share in percent, a mean as a number, and nothing where there is nothing to tell."""
    assert render_total(meta.total) == text


def test_what_a_score_leaves_out_is_said():
    """What falls short, what counts as wrong, what is not counted, and that no LLM answered."""
    meta = build_meta(("a", "a"), ("a", None), ("", "b"), min_score=0.9)
    notes = "\n".join(list_notes(meta))
    for part in (
        "below the 0.9",
        "1 item without an accepted output",
        "nothing is expected",
        "no LLM",
    ):
        assert part in notes


def test_labels_of_others_stay_words_in_markdown():
    """A label or a group cannot break a table or become HTML."""
    pairs = [(HOSTILE, HOSTILE), (HOSTILE, "b"), ("b", "b")]
    meta = build_meta(*pairs, group_by="label")
    text = render(build_reported_item(0), assessment=meta)
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<img" not in html
    assert html.count("<h2>Score</h2>") == 1
    assert "&lt;img" in html


def test_many_groups_are_counted_and_not_listed():
    """The report shows the largest; a batch with a thousand groups stays readable."""
    n_groups = MANY_GROUPS + 60
    meta = build_meta(*[("a", "a")] * n_groups, group_by="shop")
    assert "and 60 groups that are no larger" in render_assessment_markdown(meta)


def test_a_report_without_expected_values_has_no_score():
    """Nothing is said where nothing is known."""
    assert report_on(build_reported_item(0)).assessment is None
    assert "## Score" not in render(build_reported_item(0))
