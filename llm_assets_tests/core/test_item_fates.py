import pytest
from pydantic import JsonValue

from llm_assets.core.corrections import Decision
from llm_assets.core.item_fates import build_fates, list_edits
from llm_assets.core.report_decisions import (
    MAX_DECIDED,
    build_decided_items,
    render_decided_markdown,
)
from llm_assets.core.report_places import number_rows
from llm_assets_tests.core.reviews import (
    build_correction,
    build_ends,
    build_items,
    build_rows,
    correct,
    decide,
    match,
)

SAYS: dict[str, JsonValue] = {
    "kind": {"label": "bill", "sure": 0.2},
    "tags": ["a"],
    "confidence": 0.5,
}


def find_edits(output, written, decision: Decision = "edit"):
    return [
        (edit.name, edit.model, edit.person)
        for edit in list_edits(output, build_correction(decision, written))
    ]


@pytest.mark.parametrize(
    ("output", "written", "edits"),
    [
        (SAYS, SAYS, []),
        (
            SAYS,
            SAYS | {"kind": {"label": "notice", "sure": 0.2}},
            [("kind.label", "bill", "notice")],
        ),
        (SAYS, SAYS | {"tags": ["a", "b"]}, [("tags", ["a"], ["a", "b"])]),
        (SAYS, SAYS | {"confidence": None}, [("confidence", 0.5, None)]),
        (None, {"kind": "bill"}, [("kind", None, "bill")]),
    ],
)
def test_what_a_person_changed_is_named_by_field(output, written, edits):
    """Nested fields by their paths, lists as a whole; all of it where the model gave nothing."""
    assert find_edits(output, written) == edits


def test_who_approves_changes_nothing():
    """Also where the model says something else by now: the person looked at what was said then."""
    assert find_edits(SAYS, SAYS | {"tags": []}, "approve") == []
    assert list_edits(SAYS, None) == ()


def build_batch(n_rows, *decided):
    """A batch of rows, and what was decided on some of them: number, decision and what else."""
    ids = [f"r{number}" for number in range(n_rows)]
    rows = build_rows(*({"id": name, "text": name} for name in ids), ids=ids)
    items = build_items(rows)
    outputs = build_ends(items, *([SAYS] * n_rows))
    found = [correct(rows, items, number, kind, **more) for number, kind, more in decided]
    corrections = match(found, rows, items)
    fates = build_fates(decide(items, outputs, corrections), corrections)
    return outputs, fates, number_rows(rows)


def test_decisions_are_listed_with_what_they_changed():
    """In the order of the items, with reviewer, note and fields; what nobody decided on is left out."""
    written = SAYS | {"tags": ["b|c"]}
    outputs, fates, rows = build_batch(
        4,
        (2, "reject", {"note": "Two *papers*."}),
        (1, "edit", {"output": written, "reviewer": "<b>Bo"}),
    )
    decided = build_decided_items(outputs.records, fates, rows)
    assert [(each.decision, each.reviewer) for each in decided] == [
        ("edit", "<b>Bo"),
        ("reject", "Ana"),
    ]
    text = render_decided_markdown(decided, n_in_all=2)
    assert "`tags`: " in text
    assert "<b>Bo" not in text
    assert "Two \\*papers\\*." in text
    assert "more" not in text


def test_many_decisions_are_counted():
    """A report stays short, however much people reviewed."""
    n = MAX_DECIDED + 5
    outputs, fates, rows = build_batch(n, *((number, "approve", {}) for number in range(n)))
    decided = build_decided_items(outputs.records, fates, rows)
    assert len(decided) == MAX_DECIDED
    assert render_decided_markdown(decided, n_in_all=n).endswith("and 5 more")
