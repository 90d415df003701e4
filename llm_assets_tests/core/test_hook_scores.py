from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import JsonValue

from llm_assets.config.expected import ExpectedSettings
from llm_assets.core.assessment import Assessment, build_assessment, find_shortfalls
from llm_assets.core.assessment_text import list_gaps, list_notes
from llm_assets.core.checks import decide_score
from llm_assets.core.expectations import index_rows
from llm_assets.core.item_scores import score_items
from llm_assets.core.values import Scalar
from llm_assets_tests.core.labelled import build_item, build_outputs, build_snapshot
from llm_assets_tests.core.test_item_hooks import build_hook

SETTINGS = ExpectedSettings.model_validate(
    {"fields": {"rating": {"column": "stars", "scorer": "hook", "hook": "h.py:score"}}}
)


def assess(
    call: Callable[..., Any],
    *pairs: tuple[JsonValue, Scalar],
) -> Assessment:
    """Items with these ratings, or none where it is None, and what is expected of each."""
    items = [
        build_item(
            {"rating": rating},
            row_ids=[f"r{at}"],
            outcome="failed" if rating is None else "accepted",
        )
        for at, (rating, _) in enumerate(pairs, start=1)
    ]
    snapshot = build_snapshot(*({"stars": stars} for _, stars in pairs))
    scores = score_items(
        snapshot,
        build_outputs(*items),
        labels=index_rows(snapshot.records),
        label_key="row",
        settings=SETTINGS,
        hooks={"rating": build_hook("scorer", call)},
    )
    return build_assessment(scores, SETTINGS, labels_file=None, is_rehearsal=False)


def score(output: Mapping[str, Any], expected: str) -> float | None:
    return 1 - abs(output["rating"] - 2 * int(expected)) / 10 if expected.isdigit() else None


def test_the_function_scores_what_was_accepted():
    """It gets the whole output and the cell; what has no output is wrong, and what it leaves open is left out."""
    found = assess(score, (10, "5"), (5, "5"), (None, "5"), (3, "many"), (7, ""))
    assert [item.score for item in found.records] == [1.0, 0.5, 0.0, None, None]
    assert [item.fields[0].gap for item in found.records[3:]] == ["unreadable", "missing"]
    (field,) = found.meta.fields
    assert (field.scorer, field.total.score, field.total.n_without_output) == ("hook", 0.5, 1)
    assert not field.total.is_share
    assert decide_score(found.meta).is_passed


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (1.5, "returned 1.5 and no number from 0 to 1"),
        (-1, "returned -1 and no number from 0 to 1"),
        (float("nan"), "returned nan and no finite number"),
        ("good", "returned 'good' and no finite number"),
        (True, "returned True and no finite number"),
    ],
)
def test_what_is_no_score_is_the_items_trouble(returned: object, said: str):
    """The function is named, and the other items keep their scores."""

    def call(output: Mapping[str, Any], _expected: object) -> object:
        return returned if output["rating"] == 1 else 0.5

    found = assess(call, (1, "1"), (2, "1"))
    assert [item.score for item in found.records] == [None, 0.5]
    (field,) = found.records[0].fields
    assert (field.gap, field.problem) == ("hook_failed", f"The scorer hook h.py:scorer {said}")


def test_a_function_that_fails_is_told():
    """The check fails with the first problem, the notes and the table say it, and nothing else stops."""

    def fail(output: Mapping[str, Any], expected: object) -> float:
        raise KeyError(f"{output['rating']} {expected}")

    found = assess(fail, (1, "4"), (2, "5"))
    said = (
        "The score of rating lacks 2 of the items. "
        "The scorer hook h.py:scorer raised KeyError: '1 4'."
    )
    assert find_shortfalls(found.meta) == (said,)
    assert said in list_notes(found.meta)
    assert list_gaps(found.meta.fields[0]) == ("2 items at which the scoring function failed",)
    assert not decide_score(found.meta).is_passed


def test_the_function_cannot_change_the_output():
    """It gets a copy."""

    def spoil(output: dict[str, Any], _expected: object) -> float:
        output["rating"] = 0
        return 1.0

    (item,) = assess(spoil, (10, "5")).records
    assert item.fields[0].found == 10
