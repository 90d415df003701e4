from datetime import UTC, datetime
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from llm_assets.core.corrections import Correction
from llm_assets.core.review_book import FilledBook
from llm_assets.core.review_checks import check_review
from llm_assets.errors import InputError
from llm_assets.gateways.filled_workbook import read_review_workbook
from llm_assets.gateways.review_workbook import MEMORY_SHEET, SHEET, write_review_workbook
from llm_assets_tests.core.reviews import FORMS, LATER, TASK, build_book, build_ticket

RISKY = (
    "=1+1",
    "+49 170",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "'quoted",
    "007",
    "4.0",
    "TRUE",
    "2026-03-01",
    "#N/A",
    "a\r\nb\rc\nd",
    "_x0041_ and \x07",
    "end \ufffe",
    " kept ",
    '=HYPERLINK("http://x")',
    "ä \N{GRINNING FACE}",
)


@pytest.fixture
def path(tmp_path):
    """Where the workbook lies."""
    return tmp_path / "reviews" / "march.xlsx"


def edit(path, edits, *, sheet=SHEET):
    """Write cells as a person's program does: by row and name of the column."""
    workbook: Any = openpyxl.load_workbook(path)
    names = [cell.value for cell in workbook[sheet][1]]
    for (row, name), value in edits.items():
        cell = workbook[sheet].cell(row, names.index(name) + 1)
        cell.value = value
        if isinstance(value, str) and value.startswith("="):
            cell.data_type = "s"
    workbook.save(path)


def check(path, **changes):
    book = read_review_workbook(path, shown=path.name)
    return check_review(book, task=TASK, forms=FORMS, decided_at=LATER, **changes)


def test_a_workbook_comes_back_as_it_was_written(path):
    """Nothing looks edited where nobody edited, whatever the texts are like."""
    book = build_book(*(build_ticket(summary=text, tags=[text]) for text in RISKY), texts=RISKY)
    write_review_workbook(path, book)
    filled = read_review_workbook(path, shown="march.xlsx")
    assert filled.meta == book.meta
    assert filled.items == book.items
    checked = check(path)
    assert checked.problems == ()
    assert checked.n_open == len(RISKY)


def test_decisions_come_back(path):
    """An approval, a change and a rejection become corrections with who, when, what and from where."""
    book = build_book(*[build_ticket()] * 3, None)
    write_review_workbook(path, book)
    edit(
        path,
        {
            (2, "decision"): "approve",
            (2, "reviewer"): "Ana",
            (3, "decision"): "edit",
            (3, "label"): "delivery",
            (3, "urgency"): 5,
            (3, "is_angry"): False,
            (3, "place.city"): "=Köln",
            (3, "tags"): '["c"]',
            (3, "mood"): "bad, very",
            (3, "note"): "It is late.",
            (3, "reviewer"): "Ben",
            (4, "decision"): "Reject",
            (4, "reviewer"): "Ana",
        },
    )
    checked = check(path)
    assert checked.problems == ()
    assert checked.n_open == 1
    approved, edited, rejected = checked.corrections
    assert approved.output == build_ticket()
    assert edited.output == build_ticket(
        label="delivery",
        urgency=5,
        is_angry=False,
        place={"city": "=Köln", "zip": "07"},
        tags=["c"],
        mood="bad, very",
    )
    assert (edited.note, edited.reviewer, edited.decided_at) == ("It is late.", "Ben", LATER)
    assert (edited.key, edited.source.row, edited.source.file) == ("r2", 3, "march.xlsx")
    assert (rejected.decision, rejected.output) == ("reject", None)


def test_the_same_review_gives_the_same_bytes(path):
    """No time of day and no order of chance gets into the file."""
    book = build_book(build_ticket(), None)
    write_review_workbook(path, book)
    first = path.read_bytes()
    write_review_workbook(path, book)
    assert path.read_bytes() == first


def test_only_the_cells_to_be_filled_in_are_open(path):
    """The sheets are protected; ids, hashes and inputs are locked, outputs and decisions are not."""
    write_review_workbook(path, build_book(build_ticket()))
    workbook: Any = openpyxl.load_workbook(path)
    sheet = workbook[SHEET]
    names = [cell.value for cell in sheet[1]]
    is_open = {name: not cell.protection.locked for name, cell in zip(names, sheet[2], strict=True)}
    assert sheet.protection.sheet
    assert sheet.freeze_panes == "C2"
    assert [name for name in names if not is_open[name]] == [
        "work_id",
        "input_sha256",
        "id",
        "text",
        "gate_value",
        "why",
    ]
    assert workbook[MEMORY_SHEET].sheet_state == "hidden"


def test_what_the_schema_knows_is_offered(path):
    """Choices are drop-downs, numbers have their bounds, and the decision has its three words."""
    write_review_workbook(path, build_book(build_ticket()))
    workbook: Any = openpyxl.load_workbook(path)
    sheet = workbook[SHEET]
    names = [cell.value for cell in sheet[1]]
    rules = {
        names[next(iter(validation.sqref.ranges)).min_col - 1]: validation
        for validation in sheet.data_validations.dataValidation
    }

    def list_choices(name):
        title, place = rules[name].formula1.split("!")
        first, last = place.replace("$", "").split(":")
        return [cell.value for (cell,) in workbook[title][f"{first}:{last}"]]

    assert list_choices("label") == ["refund", "delivery", "other"]
    assert list_choices("mood") == ["good", "bad, very"]
    assert list_choices("is_angry") == [True, False]
    assert list_choices("decision") == ["approve", "edit", "reject"]
    assert (rules["urgency"].type, rules["urgency"].formula1, rules["urgency"].formula2) == (
        "whole",
        "1.0",
        "5.0",
    )
    assert rules["confidence"].type == "decimal"
    assert rules["label"].prompt.startswith("What it is about.")


def test_formulas_are_text(path):
    """What looks like a formula is stored as text, so no program runs it."""
    write_review_workbook(path, build_book(build_ticket(summary="=1+1"), texts=["=cmd|x"]))
    sheet = openpyxl.load_workbook(path)[SHEET]
    names = [cell.value for cell in sheet[1]]
    cells = [sheet.cell(2, names.index(name) + 1) for name in ("summary", "text")]
    assert [(cell.value, cell.data_type, cell.quotePrefix) for cell in cells] == [
        ("=1+1", "s", True),
        ("=cmd|x", "s", True),
    ]


def test_a_long_text_can_be_approved_and_not_edited(path):
    """A cell holds 32,767 characters: what is longer is shown in part, approved whole, and never cut by an edit."""
    output = build_ticket(summary="x" * 70_000)
    write_review_workbook(path, build_book(output))
    edit(path, {(2, "decision"): "approve", (2, "reviewer"): "Ana"})
    assert check(path).corrections[0].output == output
    edit(path, {(2, "decision"): "edit", (2, "summary"): "short"})
    (problem,) = check(path).problems
    assert "too long for a cell" in problem.what


def test_a_workbook_of_nothing_is_one(path):
    """An empty queue gives a sheet with its header, which comes back without decisions."""
    write_review_workbook(path, build_book())
    checked = check(path)
    assert (checked.problems, checked.corrections, checked.n_open) == ((), (), 0)


def _write_text(path):
    path.write_text("id,decision\n1,approve\n")


def _write_other(path):
    openpyxl.Workbook().save(path)


def _cut_sheet(path):
    """Damage inside of an archive that is whole."""
    with ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"][:300]
    with ZipFile(path, "w") as damaged:
        for name, content in parts.items():
            damaged.writestr(name, content)


def _change_memory(path, row, column, value):
    workbook: Any = openpyxl.load_workbook(path)
    workbook[MEMORY_SHEET].cell(row, column).value = value
    workbook.save(path)


def _drop_item(path):
    workbook: Any = openpyxl.load_workbook(path)
    workbook[MEMORY_SHEET].delete_rows(3)
    workbook.save(path)


FOREIGN = {
    "no workbook": (_write_text, "no readable workbook"),
    "a damaged sheet": (_cut_sheet, "no readable workbook"),
    "another workbook": (_write_other, "no sheet '_llm_assets'"),
    "a newer format": (lambda path: _change_memory(path, 1, 2, 9), "format 9"),
    "another mark": (lambda path: _change_memory(path, 1, 1, "x"), "not this program's"),
    "a damaged item": (lambda path: _change_memory(path, 3, 1, "{"), "was changed"),
    "an item less": (_drop_item, "is not whole"),
}


@pytest.mark.parametrize(("harm", "message"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_wrong_file_is_told(path, harm, message):
    """What is no review of ours is named as such, and so is one that a newer version made."""
    write_review_workbook(path, build_book(build_ticket()))
    harm(path)
    with pytest.raises(InputError, match=message) as caught:
        read_review_workbook(path, shown="march.xlsx")
    assert "march.xlsx" in str(caught.value)


def test_a_review_of_another_task_is_told(path):
    """A workbook is taken in only by the task that it was made for."""
    write_review_workbook(path, build_book(build_ticket()))
    book = read_review_workbook(path, shown="march.xlsx")
    assert isinstance(book, FilledBook)
    with pytest.raises(InputError, match="of the task 'triage', not of 'other'"):
        check_review(book, task="other", forms=FORMS, decided_at=LATER)  # pyright: ignore[reportArgumentType] -- a name


def test_a_file_that_is_not_there_is_told(tmp_path):
    """The path is named, with the reason."""
    with pytest.raises(InputError, match="cannot be read"):
        read_review_workbook(tmp_path / "gone.xlsx", shown="gone.xlsx")


def test_times_are_utc():
    """A correction keeps the moment, not a local clock's face."""
    assert Correction.model_fields["decided_at"].annotation is datetime
    assert LATER.tzinfo is UTC
