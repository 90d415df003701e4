from dataclasses import replace

import pytest
from pydantic import ValidationError

from llm_assets.core.corrections import Correction
from llm_assets.core.ids import Sha256
from llm_assets.core.images import ImageFile, ImageInput
from llm_assets.core.item_identity import build_identities
from llm_assets_tests.core.reviews import (
    build_correction,
    build_items,
    build_rows,
    build_ticket,
    correct,
    match,
)

ROWS = ({"id": "a", "text": "one"}, {"id": "b", "text": "two"}, {"id": "c", "text": "one"})
NAMES = ("a", "b", "c")


def list_states(corrections):
    return [record.state for record in corrections.records]


def find_texts(corrections, rows, items):
    by_id = {row.row_id: row.values["text"] for row in rows.records}
    work = {item.work_id: by_id[item.row_ids[0]] for item in items.records}
    return [work[name] for name in corrections.find("applied")]


REVIEWED = build_rows(*ROWS, ids=NAMES)
ITEMS = build_items(REVIEWED)
SURVIVES = {
    "a run again": (ROWS, NAMES, {}),
    "another order": (ROWS[::-1], NAMES[::-1], {}),
    "more rows": ((*ROWS, {"id": "d", "text": "new"}), (*NAMES, "d"), {}),
    "fewer rows": (ROWS[1:2], NAMES[1:2], {}),
    "another row that changed": (({"id": "a", "text": "x"}, *ROWS[1:]), NAMES, {}),
    "a new column": (tuple({**row, "seen": "now"} for row in ROWS), NAMES, {}),
    "a column that is no longer shown": (ROWS, NAMES, {"include": ["id"]}),
    "texts cut for the model": (ROWS, NAMES, {"truncate_field_chars": 1}),
}


@pytest.mark.parametrize(("rows", "names", "context"), SURVIVES.values(), ids=SURVIVES.keys())
@pytest.mark.parametrize("batch", ["march", "april"])
def test_a_decision_survives(rows, names, context, batch):
    """It hangs on its row's own cells alone, in any batch, place and company."""
    made = correct(REVIEWED, ITEMS, 1)
    now = build_rows(*rows, ids=names)
    items = build_items(now, **context)
    found = match([made], now, items, batch=batch)
    assert list_states(found) == ["applied"]
    assert find_texts(found, now, items) == ["two"]


@pytest.mark.parametrize("batch", ["march", "april"])
def test_rows_without_names_are_known_by_their_content(batch):
    """A cell that the model never saw changes the row's id and not what a person said of it; equal rows are counted."""
    rows = build_rows(*({"text": row["text"]} for row in ROWS), ids=("h1", "h2", "h1-2"))
    items = build_items(rows, id_column=None)
    made = [correct(rows, items, at, id_column=None) for at in (1, 2)]
    assert made[1].key.endswith("-2")
    changed = build_rows(
        *({"text": row["text"], "extra": "x"} for row in ROWS[::-1]), ids=("k1", "k2", "k1-2")
    )
    others = build_items(changed, id_column=None)
    found = match(made, changed, others, batch=batch, id_column=None)
    assert list_states(found) == ["applied", "applied"]
    assert find_texts(found, changed, others) == ["two", "one"]


def test_a_name_for_rows_that_came_later_hides_no_decision():
    """Decisions on rows known by their content hold after an id column was configured."""
    made = correct(REVIEWED, ITEMS, 1, id_column=None)
    assert list_states(match([made], REVIEWED, ITEMS)) == ["applied"]


CHANGES = {
    "its own cell": (
        ({"id": "a", "text": "one"}, {"id": "b", "text": "TWO"}),
        ("a", "b"),
        "outdated",
    ),
    "the row is gone": (ROWS[:1], NAMES[:1], "gone"),
    "a column is gone": (({"id": "b"},), ("b",), "outdated"),
}


@pytest.mark.parametrize(("rows", "names", "state"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_row_flags_its_decision(rows, names, state):
    """It is kept and seen in its own batch, applied nowhere, and no matter of other batches."""
    made = correct(REVIEWED, ITEMS, 1)
    now = build_rows(*rows, ids=names)
    items = build_items(now)
    found = match([made], now, items)
    assert list_states(found) == [state]
    assert found.meta.states[state] == 1
    assert found.find("applied") == {}
    assert match([made], now, items, batch="april").records == ()


def test_a_row_that_is_changed_back_has_its_decision_again():
    """The decision was kept, and the row is again the one that it is about."""
    one, two = (build_rows({"id": "a", "text": text}, ids=("a",)) for text in ("one", "two"))
    first = correct(one, build_items(one), 0)
    second = correct(two, build_items(two), 0, "reject")
    back = build_rows({"id": "a", "text": "one"}, ids=("a",))
    found = match([first, second], back, build_items(back))
    assert list_states(found) == ["applied", "superseded"]


def test_the_latest_decision_counts():
    """Earlier ones on the same item are kept beside it."""
    made = [correct(REVIEWED, ITEMS, 0, each) for each in ("approve", "reject", "edit")]
    found = match(made, REVIEWED, ITEMS)
    assert list_states(found) == ["superseded", "superseded", "applied"]
    assert [each.decision for each in found.find("applied").values()] == ["edit"]


def test_of_outgrown_decisions_the_latest_is_flagged():
    """A person has to look once, not once a decision."""
    made = [correct(REVIEWED, ITEMS, 0, each) for each in ("approve", "reject")]
    now = build_rows({"id": "a", "text": "new"}, ids=("a",))
    assert list_states(match(made, now, build_items(now))) == ["superseded", "outdated"]


def test_ids_that_each_file_begins_anew_are_kept_apart():
    """Row 1 of April is another row than row 1 of March: it is neither corrected nor flagged by it."""
    march, april = (build_rows({"id": "1", "text": text}, ids=("1",)) for text in ("one", "two"))
    made = [
        correct(march, build_items(march), 0),
        correct(april, build_items(april), 0, "reject", batch="april"),
    ]
    found = match(made, march, build_items(march), batch="march")
    assert list_states(found) == ["applied"]
    assert [each.decision for each in found.find("applied").values()] == ["approve"]


def group(*rows, ids):
    snapshot = build_rows(*rows, ids=ids)
    return snapshot, build_items(snapshot, mode="group_output", column="team")


def test_a_group_is_known_by_its_rows_in_any_order():
    """A row more or another text makes it another group; another order or another group does not."""
    rows = ({"team": "x", "text": "one"}, {"team": "x", "text": "two"}, {"team": "y", "text": "3"})
    snapshot, items = group(*rows, ids=("a", "b", "c"))
    made = [correct(snapshot, items, 0)]
    assert made[0].key_kind == "group"
    cases = [
        ((rows[1], rows[2], rows[0]), "applied"),
        ((*rows[:2], {"team": "y", "text": "4"}), "applied"),
        ((*rows, {"team": "x", "text": "new"}), "outdated"),
        ((rows[2],), "gone"),
    ]
    for now, state in cases:
        found = match(made, *group(*now, ids=tuple(f"n{at}" for at in range(len(now)))))
        assert list_states(found) == [state]


def test_a_picture_counts_by_its_bytes():
    """Moved to another path it is the same; another picture at the same path is not."""
    rows = build_rows({"id": "a", "text": "one", "page": "p.png"}, ids=("a",))
    item = build_items(rows, exclude=["page"]).records[0]

    def identify(sha256, source):
        file = ImageFile(
            sha256=Sha256(sha256 * 64), media_type="image/png", n_bytes=1, width=1, height=1
        )
        shown = replace(item, images=(ImageInput(column="page", source=source, file=file),))
        found = build_identities(rows, [shown], columns=("text", "page"), kind="name")
        return found[item.work_id].input_sha256

    assert identify("1", "p.png") == identify("1", "q.png")
    assert identify("1", "p.png") != identify("2", "p.png")


def test_an_output_belongs_to_what_is_published():
    """A rejection has none, an approval keeps what was approved."""
    with pytest.raises(ValidationError, match="an output belongs"):
        Correction.model_validate(build_correction("approve").model_dump() | {"output": None})


def test_the_same_decision_is_known_wherever_it_was_written():
    """File, row and time do not count; what was said and by whom do."""
    made = build_correction()
    again = made.model_copy(
        update={
            "source": made.source.model_copy(update={"row": 9}),
            "decided_at": made.decided_at.replace(year=2027),
        }
    )
    other = build_correction(output=build_ticket(summary="Else."))
    assert made.fingerprint_decision() == again.fingerprint_decision()
    assert made.fingerprint_decision() != other.fingerprint_decision()
    assert made.fingerprint_decision() != build_correction(reviewer="Ben").fingerprint_decision()
