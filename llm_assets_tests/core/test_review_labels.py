from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from llm_assets.config.expected import ExpectedSettings
from llm_assets.core.assessment import Assessment, build_assessment
from llm_assets.core.assessment_text import list_notes
from llm_assets.core.corrections import Decision
from llm_assets.core.expectations import build_review_labels, decide_label_key
from llm_assets.core.item_scores import score_items
from llm_assets_tests.core.reviews import build_ends, build_items, build_rows, correct, match

IDS = ("a", "b", "c")
ROWS = build_rows(*({"id": name, "text": f"text {name}"} for name in IDS), ids=IDS)
ITEMS = build_items(ROWS)
SAYS = {"mood": "good", "tags": ["x", "y"], "deep": {"n": 3}, "empty": None}


def assess(fields: Mapping[str, object], *corrections, outputs=(SAYS, SAYS, SAYS)) -> Assessment:
    """Three rows that were answered so, by what people decided on them."""
    settings = ExpectedSettings.model_validate({"from_review": True, "fields": fields})
    scores = score_items(
        ROWS,
        build_ends(ITEMS, *outputs),
        labels=build_review_labels(match(corrections, ROWS, ITEMS), settings),
        label_key=decide_label_key(settings, "row"),
        settings=settings,
    )
    return build_assessment(scores, settings, labels_file=None, is_rehearsal=False)


def decide(number: int, decision: Decision = "edit", **output: JsonValue):
    return correct(ROWS, ITEMS, number, decision, output=SAYS | output)


def test_approved_and_edited_items_have_a_score_and_no_others():
    """An approved output is right as long as it is given; an edit is what should have come; a rejection says nothing."""
    found = assess({"mood": None}, decide(0, "approve"), decide(1, mood="bad"), decide(2, "reject"))
    assert [each.score for each in found.records] == [1.0, 0.0, None]
    assert [each.standing for each in found.records][2] == "nothing_expected"
    assert found.records[1].fields[0].expected == "bad"
    assert found.meta.total.n_scored == 2
    assert any("what people approved or wrote" in note for note in list_notes(found.meta))


def test_a_better_answer_is_seen():
    """What people corrected is what another prompt is measured by."""
    edit, mended = decide(1, mood="bad"), SAYS | {"mood": "bad"}
    assert assess({"mood": {}}, edit).meta.total.score == 0
    assert assess({"mood": {}}, edit, outputs=(SAYS, mended, SAYS)).meta.total.score == 1
    assert assess({"mood": {}}, edit, outputs=(SAYS, None, SAYS)).meta.total.score == 0


def test_only_what_still_holds_counts():
    """A decision that a later one replaced, or whose row has changed, expects nothing."""
    later = assess({"mood": None}, decide(0, mood="bad"), decide(0, "approve"))
    assert later.records[0].score == 1.0
    other = build_rows(*({"id": name, "text": "before"} for name in IDS), ids=IDS)
    outgrown = correct(other, build_items(other), 0, "edit", output=SAYS | {"mood": "bad"})
    assert assess({"mood": None}, outgrown).meta.total.n_scored == 0


@pytest.mark.parametrize(
    ("field", "output", "score"),
    [
        ({"scorer": "exact", "path": "tags"}, {}, 1.0),
        ({"scorer": "exact", "path": "tags"}, {"tags": ["y", "x"]}, 0.0),
        ({"scorer": "jaccard", "path": "tags"}, {"tags": ["y", "z"]}, 1 / 3),
        ({"scorer": "f1", "path": "tags"}, {"tags": ["x"]}, 2 / 3),
        ({"scorer": "json", "path": "deep"}, {"deep": {"n": 3}}, 1.0),
        ({"scorer": "exact", "path": "deep.n"}, {"deep": {"n": 4}}, 0.0),
        ({"scorer": "numeric", "path": "deep.n", "tolerance": 1}, {"deep": {"n": 4}}, 1.0),
        ({"scorer": "exact", "path": "empty"}, {}, None),
    ],
)
def test_every_scorer_compares_with_what_was_published(field, output, score):
    """Lists and objects keep their meaning; a field that a person left empty expects nothing."""
    found = assess({"it": field}, decide(0, **output))
    assert found.records[0].score == (None if score is None else pytest.approx(score))


def test_without_decisions_nothing_is_scored():
    """Nobody has looked at anything yet, which is no fault of any answer."""
    found = assess({"mood": None})
    assert (found.meta.total.score, found.meta.n_nothing_expected) == (None, 3)
    settings = ExpectedSettings.model_validate({"from_review": True, "fields": {"mood": None}})
    assert build_review_labels(None, settings) == {}
