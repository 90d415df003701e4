from llm_assets.core.gate import ROUTES
from llm_assets.core.published import build_published, fingerprint_published
from llm_assets_tests.core.labelled import build_outputs
from llm_assets_tests.core.reviews import (
    LATER,
    MARCH,
    NOON,
    build_end,
    build_ends,
    build_items,
    build_rows,
    build_ticket,
    correct,
    decide,
    match,
)

GOOD, LOW = build_ticket(confidence=0.9), build_ticket(confidence=0.1)
ROWS = build_rows(*({"id": f"r{n}", "text": f"Text {n}"} for n in range(1, 6)))
ITEMS = build_items(ROWS)
ENDS = build_ends(ITEMS, GOOD, LOW, LOW, None, LOW)


def publish(*made, ends=ENDS, rows=ROWS, items=ITEMS):
    corrections = match(made, rows, items)
    gate = decide(items, ends, corrections)
    return gate, build_published(
        rows, ends, gate=gate, corrections=corrections, mode=items.meta.mode, batch=MARCH
    )


def test_what_passed_and_what_people_vouch_for_is_published():
    """Each record has its row, its output, who vouches for it and since when; the others have none."""
    edited = build_ticket(label="other")
    gate, published = publish(
        correct(ROWS, ITEMS, 1, "approve", output=LOW),
        correct(ROWS, ITEMS, 2, "reject"),
        correct(ROWS, ITEMS, 3, "edit", output=edited, note="By hand.", reviewer="Ben"),
    )
    assert gate.meta.routes == dict(zip(ROUTES, (3, 1, 1, 0), strict=True))
    passed, approved, written = published.records
    assert (passed.origin, passed.reviewer, passed.note) == ("model", None, None)
    assert (passed.input, passed.output) == ({"id": "r1", "text": "Text 1"}, GOOD)
    assert (passed.enriched_at, approved.enriched_at, written.enriched_at) == (NOON, LATER, LATER)
    assert (approved.output, approved.origin, approved.reviewer) == (LOW, "person", "Ana")
    assert (written.output, written.note, written.reviewer) == (edited, "By hand.", "Ben")
    assert (published.meta.n_records, published.meta.n_from_people) == (3, 2)


def test_what_a_person_approved_stays_when_the_model_says_else():
    """A new answer replaces neither an approved output nor a written one."""
    made = correct(ROWS, ITEMS, 1, "approve", output=LOW)
    ends = build_ends(ITEMS, GOOD, build_ticket(confidence=1.0), LOW, None, LOW)
    _, published = publish(made, ends=ends)
    assert published.records[1].output == LOW


def test_the_hash_follows_input_and_output_alone():
    """An answer that was fetched again and is the same changes no record that others depend on."""
    _, before = publish()
    again = build_outputs(
        *(
            build_end(item, end.output, accepted_at=LATER)
            for item, end in zip(ITEMS.records, ENDS.records, strict=True)
        )
    )
    _, after = publish(ends=again)
    assert before.records != after.records
    assert fingerprint_published(before) == fingerprint_published(after)
    changed = build_ends(ITEMS, GOOD | {"urgency": 1}, LOW, LOW, None, LOW)
    _, other = publish(ends=changed)
    assert fingerprint_published(before) != fingerprint_published(other)
    assert before.records[0].content_sha256 != other.records[0].content_sha256


def test_a_group_brings_all_its_rows():
    """One output answers for several rows, and the record holds them in their order."""
    rows = build_rows(
        {"team": "x", "text": "1"}, {"team": "y", "text": "2"}, {"team": "x", "text": "3"}
    )
    items = build_items(rows, mode="group_output", column="team")
    _, published = publish(ends=build_ends(items, GOOD, GOOD), rows=rows, items=items)
    assert [record.input for record in published.records] == [
        {"rows": [{"team": "x", "text": "1"}, {"team": "x", "text": "3"}]},
        {"rows": [{"team": "y", "text": "2"}]},
    ]
    assert [record.group_key for record in published.records] == ["x", "y"]


def test_nothing_that_passed_is_an_empty_list():
    """Both what is published and what waits exist after every run."""
    _, published = publish(ends=build_ends(ITEMS, *[None] * 5))
    assert (published.records, published.meta.n_records) == ((), 0)
