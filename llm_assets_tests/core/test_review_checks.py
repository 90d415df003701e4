from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, computed_field

from llm_assets.config.gate import GateSettings
from llm_assets.core.ids import StepName, TaskName
from llm_assets.core.output_forms import OutputForm
from llm_assets.core.review_book import FilledRow
from llm_assets.core.review_checks import check_review
from llm_assets.core.review_problems import build_review_error
from llm_assets.errors import InputError
from llm_assets_tests.core.reviews import (
    FORMS,
    LATER,
    TASK,
    Ticket,
    build_book,
    build_ticket,
    fill,
)

BOOK = build_book(build_ticket(), build_ticket(summary="Late."), build_ticket(), None)
NAMES = [column.name for column in BOOK.meta.columns]
FIRST = BOOK.rows[0]


def check(book, *, forms=FORMS, reviewer="Ana"):
    return check_review(book, task=TASK, forms=forms, decided_at=LATER, reviewer=reviewer)


def add_row(number, **cells):
    """The rows of the workbook and one more."""
    row = tuple(cells.get(name) for name in NAMES)
    return (*fill(BOOK).rows, FilledRow(number=number, cells=row))


def copy_row(number):
    return (*fill(BOOK).rows, FilledRow(number=number, cells=FIRST))


def reorder(*names):
    order = [NAMES.index(name) for name in names]
    return {
        "header": tuple(names),
        "rows": tuple(
            FilledRow(number=at, cells=tuple(cells[place] for place in order))
            for at, cells in enumerate(BOOK.rows, start=2)
        ),
    }


def swap(a, b):
    names = list(NAMES)
    i, j = names.index(a), names.index(b)
    names[i], names[j] = b, a
    return reorder(*names)


MISTAKES: dict[str, tuple[dict, dict, list[str]]] = {
    "missing id": (
        {(3, "work_id"): None},
        {},
        ["row 3, column A (work_id): the id is missing. Put it back."],
    ),
    "foreign id": (
        {(3, "work_id"): "w9"},
        {},
        ["row 3, column A (work_id): 'w9' is the id of no item of this workbook. Put the id back."],
    ),
    "changed hash": (
        {(3, "input_sha256"): "0" * 64},
        {},
        ["row 3, column B (input_sha256): the hash of the item's input was changed"],
    ),
    "changed input": (
        {(3, "text"): "Other"},
        {},
        ["row 3: a locked cell was changed: the row does not show the item that its id names."],
    ),
    "value that is no choice": (
        {(3, "decision"): "edit", (3, "label"): "refnd"},
        {},
        [
            "row 3, column E (label): 'refnd' is none of: refund, delivery, other. Did you mean 'refund'?"
        ],
    ),
    "value out of bounds": (
        {(3, "decision"): "edit", (3, "urgency"): 9},
        {},
        ["row 3, column H (urgency): `urgency`: Input should be less than or equal to 5"],
    ),
    "value of another kind": (
        {(3, "decision"): "edit", (3, "urgency"): "soon", (3, "is_angry"): "maybe"},
        {},
        [
            "row 3, column H (urgency): 'soon' is not a whole number.",
            "row 3, column I (is_angry): 'maybe' is not true or false.",
        ],
    ),
    "broken JSON": (
        {(3, "decision"): "edit", (3, "tags"): '["a"'},
        {},
        ["row 3, column M (tags): it is not valid JSON ("],
    ),
    "nested field": (
        {(3, "decision"): "edit", (3, "tags"): "[1]"},
        {},
        ["row 3, column M (tags): `tags.0`: Input should be a valid string"],
    ),
    "emptied field": (
        {(3, "decision"): "edit", (3, "urgency"): None},
        {},
        ["row 3, column H (urgency): `urgency`: Input should be a valid integer"],
    ),
    "same item twice": (
        {},
        {"rows": copy_row(5)},
        ["row 5, column A (work_id): the item ", "stands in row 2 already. Keep one of the two."],
    ),
    "edited and no decision": (
        {(3, "label"): "other"},
        {},
        [
            (
                "row 3, column Q (decision): column 'label' was edited, and the decision is empty. "
                "Write what you decided, or undo that."
            )
        ],
    ),
    "noted and no decision": (
        {(3, "note"): "Hm."},
        {},
        ["row 3, column Q (decision): there is a note, and the decision is empty."],
    ),
    "unknown decision": (
        {(3, "decision"): "aprove"},
        {},
        [
            (
                "row 3, column Q (decision): 'aprove' is no decision. Did you mean 'approve'? "
                "Write approve, edit or reject."
            )
        ],
    ),
    "edited and approved": (
        {(3, "decision"): "approve", (3, "label"): "other", (3, "urgency"): 1},
        {},
        [
            "row 3, column E (label): the output was edited, and the decision is 'approve'. Write 'edit'",
            "row 3, column H (urgency): the output was edited",
        ],
    ),
    "edited and rejected": (
        {(3, "decision"): "reject", (3, "label"): "other"},
        {},
        ["row 3, column E (label): the output was edited, and the decision is 'reject'."],
    ),
    "edit of nothing": (
        {(3, "decision"): "edit"},
        {},
        ["row 3, column Q (decision): the decision is 'edit', and nothing was edited."],
    ),
    "approval of nothing": (
        {(5, "decision"): "approve"},
        {},
        ["row 5, column Q (decision): there is no output to approve."],
    ),
    "half an output": (
        {(5, "decision"): "edit", (5, "label"): "other"},
        {},
        ["row 5, column F (summary): `summary`: Field required"],
    ),
    "moved columns": (
        {},
        swap("label", "summary"),
        [
            "row 1, column E (summary): 'label' belongs here, and 'summary' stands here. Columns were moved",
            "row 1, column F (label): 'summary' belongs here, and 'label' stands here. Columns were moved",
        ],
    ),
    "renamed column": (
        {},
        {"header": tuple("Label" if name == "label" else name for name in NAMES)},
        [
            (
                "row 1, column E (Label): 'label' belongs here, and 'Label' stands here. "
                "The column was renamed: call it 'label' again."
            )
        ],
    ),
    "missing column": (
        {},
        {"header": NAMES[:-1]},
        ["row 1, column S: 'reviewer' belongs here, and nothing stands here. A column is missing"],
    ),
    "column too many": (
        {},
        {"header": (*NAMES, "mine")},
        ["row 1, column T (mine): the workbook has no column 'mine'. Take it out;"],
    ),
    "value beyond the columns": (
        {},
        {"rows": (FilledRow(number=2, cells=(*FIRST, None, "x")),)},
        ["row 2, column U: there is a value right of the last column. Take it out;"],
    ),
    "extra row": (
        {},
        {"rows": add_row(6, note="One more.")},
        ["row 6: this row was added: it is about no item. Take it out."],
    ),
    "extra row with an id": (
        {},
        {"rows": add_row(6, work_id="w9", decision="approve")},
        [
            "row 6, column A (work_id): 'w9' is the id of no item of this workbook. This row was added"
        ],
    ),
}


@pytest.mark.parametrize(("edits", "changes", "messages"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_its_place(edits, changes, messages):
    """Sheet, row and column, what is wrong and what to do; good rows beside it are not taken in either."""
    good = {} if {"rows", "header"} & changes.keys() else {(2, "decision"): "reject"}
    checked = check(fill(BOOK, good | edits, **changes))
    error = build_review_error("reviews/march.xlsx", checked.problems)
    assert isinstance(error, InputError)
    assert checked.corrections == ()
    assert "reviews/march.xlsx has " in str(error)
    for message in messages:
        assert message in str(error)
    assert len({problem.row for problem in checked.problems}) == 1
    assert str(error).count("sheet 'review'") == len(checked.problems)


def test_all_mistakes_are_told_at_once():
    """One message lists every row's, in the order of the sheet."""
    edits = {
        (4, "decision"): "no",
        (2, "work_id"): None,
        (3, "decision"): "edit",
        (3, "label"): "x",
        (3, "urgency"): "y",
    }
    problems = check(fill(BOOK, edits), reviewer="").problems
    lines = str(build_review_error("m.xlsx", problems)).splitlines()
    assert lines[0] == "m.xlsx has 5 problems; nothing was taken in:"
    places = [line.split(":")[0].strip() for line in lines[1:6]]
    assert [place.removeprefix("sheet 'review', ") for place in places] == [
        "row 2, column A (work_id)",
        "row 3, column E (label)",
        "row 3, column H (urgency)",
        "row 3, column S (reviewer)",
        "row 4, column Q (decision)",
    ]
    assert lines[6].strip() == "Mend the workbook and put it in again."


def test_a_decision_needs_a_person():
    """Without a name, nobody could be asked later."""
    (problem,) = check(fill(BOOK, {(2, "decision"): "approve"}), reviewer="").problems
    assert (problem.row, problem.name) == (2, "reviewer")


def test_untouched_rows_stay_open():
    """Also those whose reviewer is filled in already, that were taken out, and that stand elsewhere."""
    book = build_book(*[build_ticket()] * 3, reviewer="Ana")
    filled = fill(book, {(3, "decision"): " Approve "})
    blank = FilledRow(number=9, cells=(None, " "))
    checked = check(fill(book, rows=(filled.rows[1], filled.rows[2], blank)))
    assert checked.problems == ()
    assert [each.key for each in checked.corrections] == ["r2"]
    assert checked.n_open == 2


def test_sorted_rows_are_read_by_their_ids():
    """A row means the item that its id names, wherever it stands."""
    filled = fill(BOOK, {(2, "decision"): "approve", (3, "decision"): "reject"})
    rows = tuple(
        FilledRow(number=at, cells=row.cells) for at, row in enumerate(filled.rows[::-1], start=2)
    )
    checked = check(fill(BOOK, rows=rows))
    assert [(each.key, each.decision, each.source.row) for each in checked.corrections] == [
        ("r2", "reject", 4),
        ("r1", "approve", 5),
    ]


def test_a_person_can_write_what_the_model_could_not():
    """Of an item without an output, what can be empty is; all else has to be written."""
    values = {
        "label": "other",
        "summary": "By hand.",
        "urgency": 2,
        "is_angry": "false",
        "place.city": "Bonn",
    }
    edits = {(5, name): value for name, value in values.items()} | {(5, "decision"): "edit"}
    checked = check(fill(BOOK, edits))
    assert checked.problems == ()
    assert checked.corrections[0].output == {
        "label": "other",
        "summary": "By hand.",
        "confidence": None,
        "urgency": 2,
        "is_angry": False,
        "mood": None,
        "place": {"city": "Bonn", "zip": None},
        "tags": [],
        "due": None,
    }


class Narrow(Ticket):
    extra_field: str


def test_an_approval_of_what_the_schema_refuses_by_now_is_told():
    """What is published has to be valid, also where the schema changed after the export."""
    checked = check(fill(BOOK, {(2, "decision"): "approve"}), forms=(OutputForm(None, Narrow),))
    (problem,) = checked.problems
    assert "the schema has changed since" in problem.what


class Counted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    confidence: float
    words: str

    @computed_field
    @property
    def n_words(self) -> int:
        return len(self.words.split())


def test_what_a_model_computes_follows_the_edit():
    """A computed field is locked, and made anew from what was edited."""
    forms = (OutputForm(None, Counted),)
    book = build_book({"confidence": 0.1, "words": "a b", "n_words": 2}, forms=forms)
    by_name = {column.name: column for column in book.meta.columns}
    assert not by_name["n_words"].is_editable
    filled = fill(book, {(2, "decision"): "edit", (2, "words"): "a b c"})
    (made,) = check(filled, forms=forms).corrections
    assert made.output == {"confidence": 0.1, "words": "a b c", "n_words": 3}
    (approved,) = check(fill(book, {(2, "decision"): "approve"}), forms=forms).corrections
    assert approved.output == {"confidence": 0.1, "words": "a b", "n_words": 2}


class Found(BaseModel):
    model_config = ConfigDict(extra="forbid")

    people: list[str]
    id: str


CHAIN = (OutputForm(StepName("extract"), Found), OutputForm(StepName("classify"), Ticket))


def build_chain(**changes: Any) -> dict[str, Any]:
    return {"extract": {"people": ["Ada"], "id": "x"}, "classify": build_ticket(), **changes}


def test_every_step_of_a_chain_can_be_edited():
    """The columns say whose field each is, and an edit of one step leaves the others as they are."""
    gate = GateSettings(field="classify.confidence", at_least=0.8)
    book = build_book(build_chain(), forms=CHAIN, gate=gate)
    assert {"extract.people", "extract.id", "classify.label", "id"} <= {
        column.name for column in book.meta.columns
    }
    edits = {(2, "decision"): "edit", (2, "extract.people"): '["Ada", "Bob"]'}
    (made,) = check(fill(book, edits), forms=CHAIN).corrections
    assert made.output == build_chain(extract={"people": ["Ada", "Bob"], "id": "x"})
    wrong = edits | {(2, "extract.people"): "[1]", (2, "classify.urgency"): 9}
    problems = check(fill(book, wrong), forms=CHAIN).problems
    assert [problem.name for problem in problems] == ["extract.people", "classify.urgency"]


def test_an_input_column_of_the_same_name_steps_back():
    """The output's field keeps its name, the input's is `input.<name>`; both are read and kept apart."""
    forms = (OutputForm(None, Found),)
    gate = GateSettings(field="confidence", at_least=1)
    book = build_book(build_ticket(), forms=(OutputForm(None, Ticket),), gate=gate, texts=["in"])
    names = [column.name for column in book.meta.columns]
    assert "text" in names
    clashing = build_book(
        {"id": "out", "people": []}, forms=forms, gate=GateSettings(field="people.x", at_least=1)
    )
    names = [column.name for column in clashing.meta.columns]
    assert ("input.id" in names, "id" in names) == (True, True)
    (made,) = check(
        fill(clashing, {(2, "decision"): "edit", (2, "id"): "new"}), forms=forms
    ).corrections
    assert made.output == {"id": "new", "people": []}


def test_another_task_is_refused():
    """A workbook is of one task."""
    with pytest.raises(InputError, match="'triage', not of 'other'"):
        check_review(fill(BOOK), task=TaskName("other"), forms=FORMS, decided_at=LATER)
