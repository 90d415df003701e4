"""Whether a review survives a real spreadsheet program, with and without a person's edits."""

import shutil
import subprocess
from datetime import date
from typing import Any

import openpyxl
import pytest

from llm_assets.core.review_checks import check_review
from llm_assets.gateways.filled_workbook import read_review_workbook
from llm_assets.gateways.review_workbook import SHEET, write_review_workbook
from llm_assets_tests.core.reviews import FORMS, LATER, TASK, build_book, build_ticket
from llm_assets_tests.gateways.test_review_workbook import RISKY

PROGRAM = shutil.which("soffice") or shutil.which("libreoffice")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not installed"),
]

NUMBERS = (0.1, 1 / 3, 0.30000000000000004, 1e-7, 0.75, 0.0, None)


@pytest.fixture(scope="module")
def resave(tmp_path_factory):
    """Opens workbooks in LibreOffice and saves them again, without a screen and with settings of its own."""
    folder = tmp_path_factory.mktemp("libreoffice")

    def open_and_save(path):
        assert PROGRAM is not None
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        target = path.parent / "saved"
        subprocess.run(
            [PROGRAM, "--headless", profile, "--convert-to", "xlsx", "--outdir", target, path],
            capture_output=True,
            timeout=120,
            check=True,
        )
        return target / path.name

    return open_and_save


def check(path):
    book = read_review_workbook(path, shown=path.name)
    return check_review(book, task=TASK, forms=FORMS, decided_at=LATER)


def test_an_untouched_review_stays_untouched(tmp_path, resave):
    """Saving alone edits nothing: not 4.0 for 4, not another line end, not the last digit of a number."""
    tickets = [build_ticket(summary=text, tags=[text], due=text) for text in RISKY]
    tickets += [build_ticket(confidence=number, is_angry=False) for number in NUMBERS]
    texts = [*RISKY, *("plain" for _ in NUMBERS)]
    book = build_book(*tickets, texts=texts)
    path = tmp_path / "march.xlsx"
    write_review_workbook(path, book)
    saved = resave(path)
    assert saved.read_bytes() != path.read_bytes()
    checked = check(saved)
    assert [problem.render() for problem in checked.problems] == []
    assert (checked.corrections, checked.n_open) == ((), len(tickets))
    # Everything that a person can change reads back as it was.
    again = check(resave(saved))
    assert (again.problems, again.n_open) == ((), len(tickets))


EDITS = {
    (2, "decision"): "approve",
    (3, "decision"): "edit",
    (3, "summary"): "=SUM(1) is text",
    (3, "confidence"): 1,
    (3, "urgency"): 3.0,
    (3, "is_angry"): False,
    (3, "mood"): None,
    (3, "place.zip"): None,
    (3, "tags"): '["x", "=y"]',
    (3, "due"): date(2026, 4, 1),
    (4, "decision"): "edit",
    (4, "confidence"): "0.25",
    (4, "is_angry"): "FALSE",
    (4, "label"): "other",
    (5, "decision"): "reject",
    (5, "note"): "No.",
}


def test_edits_come_through(tmp_path, resave):
    """Whole numbers as floats, booleans, emptied cells, a day and trailing blank rows are read as they were meant."""
    path = tmp_path / "march.xlsx"
    ticket = build_ticket(mood="good")
    write_review_workbook(path, build_book(*[ticket] * 5, reviewer="Ana"))
    saved = resave(path)
    workbook: Any = openpyxl.load_workbook(saved)
    sheet = workbook[SHEET]
    names = [cell.value for cell in sheet[1]]
    for (row, name), value in EDITS.items():
        cell = sheet.cell(row, names.index(name) + 1)
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
    for row in range(7, 12):
        sheet.cell(row, 1).value = ""
    workbook.save(saved)
    checked = check(resave(saved))
    assert [problem.render() for problem in checked.problems] == []
    assert checked.n_open == 1
    approved, edited, typed, rejected = checked.corrections
    assert approved.output == ticket
    assert edited.output == build_ticket(
        summary="=SUM(1) is text",
        confidence=1.0,
        urgency=3,
        is_angry=False,
        mood=None,
        place={"city": "Ulm", "zip": None},
        tags=["x", "=y"],
        due="2026-04-01",
    )
    assert typed.output == build_ticket(confidence=0.25, is_angry=False, label="other", mood="good")
    assert (rejected.output, rejected.note, rejected.reviewer) == (None, "No.", "Ana")


def test_mistakes_come_through(tmp_path, resave):
    """A mistake has the same place after the program saved it."""
    path = tmp_path / "march.xlsx"
    write_review_workbook(path, build_book(*[build_ticket()] * 3, reviewer="Ana"))
    workbook: Any = openpyxl.load_workbook(path)
    sheet = workbook[SHEET]
    names = [cell.value for cell in sheet[1]]
    sheet.cell(2, 1).value = None
    sheet.cell(3, names.index("label") + 1).value = "refnd"
    sheet.cell(3, names.index("decision") + 1).value = "edit"
    sheet.cell(9, names.index("note") + 1).value = "extra"
    workbook.save(path)
    problems = check(resave(path)).problems
    assert [(problem.row, problem.name) for problem in problems] == [
        (2, "work_id"),
        (3, "label"),
        (9, None),
    ]
