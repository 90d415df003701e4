"""Whether a review goes round through a real spreadsheet program and the command line."""

import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from llm_assets.gateways.review_workbook import SHEET
from llm_assets_tests.end_to_end.documents_project import (
    build_documents_project,
    file_paper,
    fill_paper_review,
)
from llm_assets_tests.end_to_end.gated_project import read_published, read_routes
from llm_assets_tests.end_to_end.scripted_model import open_scripted_model
from llm_assets_tests.end_to_end.served_model import ServedModel
from llm_assets_tests.end_to_end.tiny_project import TinyProject, assert_told_plainly

PROGRAM = shutil.which("soffice") or shutil.which("libreoffice")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not installed"),
]

N_PAPERS = 41
"""Of which the model is not sure of five."""
ARGS = {"task": "documents", "batch": "april"}
MENDED = '[{"name": "Maren Tolle", "role": "lessee; =1+1 is text"}]'


@pytest.fixture(scope="module")
def finished_project(
    tmp_path_factory: pytest.TempPathFactory, served_model: ServedModel
) -> Generator[TinyProject]:
    """Papers that were read once."""
    root = tmp_path_factory.mktemp("documents") / "project"
    with open_scripted_model(file_paper) as registrar:
        project = build_documents_project(
            root,
            n_papers=N_PAPERS,
            reader_url=served_model.base_url,
            registrar_url=registrar.base_url,
        )
        project.run_json("documents")
        yield project


@pytest.fixture
def exported(finished_project: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of them, with the workbook `april.review.xlsx` of what waits."""
    project = finished_project.copy(tmp_path / "project")
    done = project.run("review", "export", "documents", "--batch", "april", "--reviewer", "Ana")
    assert done.exit_code == 0, done.stderr
    assert "april: 5 items in april.review.xlsx" in done.stdout
    return project


def save_in_libreoffice(path: Path) -> Path:
    """Open a workbook in LibreOffice and save it again, as a file of its own making."""
    assert PROGRAM is not None
    target = path.parent / "saved"
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    subprocess.run(
        [PROGRAM, "--headless", profile, "--convert-to", "xlsx", "--outdir", target, path],
        capture_output=True,
        timeout=180,
        check=True,
    )
    saved = target / path.name
    assert saved.read_bytes() != path.read_bytes()
    return saved


def test_what_was_decided_in_a_spreadsheet_is_published(exported: TinyProject):
    """Approved, edited in plain and nested cells, and rejected: the published records show it, and nothing was sent."""
    rows = [row for row, route in read_routes(exported, **ARGS).items() if route == "review_queue"]
    approved, edited, nested, rejected, left_open = rows
    before = {each["row_ids"][0]: each for each in exported.read_records("llm_outputs", **ARGS)}
    filled = fill_paper_review(
        exported,
        {
            approved: {"decision": "approve"},
            edited: {"decision": "edit", "classify.category": "contract", "note": "Ärgerlich."},
            nested: {"decision": "edit", "extract.people": MENDED, "classify.confidence": 1},
            rejected: {"decision": "reject", "reviewer": "Ben"},
        },
        workbook=exported.root / "april.review.xlsx",
    )
    saved = save_in_libreoffice(filled)
    done = exported.run("review", "import", "documents", str(saved))
    assert done.exit_code == 0, done.stderr
    assert "filled.xlsx: 1 approve, 2 edit, 1 reject; 1 still open." in done.stdout

    published = read_published(exported, **ARGS)
    assert published[approved]["output"] == before[approved]["output"]
    expected = before[edited]["output"]
    assert published[edited]["output"] == {
        **expected,
        "classify": {**expected["classify"], "category": "contract"},
    }
    assert published[edited]["note"] == "Ärgerlich."
    output = published[nested]["output"]
    assert output["extract"]["people"] == [{"name": "Maren Tolle", "role": "lessee; =1+1 is text"}]
    assert output["classify"]["confidence"] == 1.0
    assert {published[row]["reviewer"] for row in (approved, edited, nested)} == {"Ana"}
    routes = read_routes(exported, **ARGS)
    assert (routes[rejected], routes[left_open]) == ("turned_down", "review_queue")

    again = exported.run("review", "import", "documents", str(saved))
    assert "already; nothing was added" in again.stdout
    assert read_published(exported, **ARGS) == published


def _harm(path: Path) -> None:
    """Seven mistakes of a person, each in a cell of its own row or beside the table."""
    book: Any = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    names = [cell.value for cell in sheet[1]]

    def write(row: int, name: str, value: object) -> None:
        sheet.cell(row, names.index(name) + 1).value = value

    write(2, "work_id", None)
    write(3, "work_id", "0123456789abcdef0123")
    write(4, "input_sha256", "0" * 64)
    write(5, "decision", "edit")
    write(5, "classify.category", "letter")
    write(6, "work_id", sheet.cell(5, names.index("work_id") + 1).value)
    write(6, "decision", "approve")
    write(12, "note", "What is this?")
    book.save(path)
    book.close()


def test_mistakes_are_told_with_their_places_and_nothing_is_applied(exported: TinyProject):
    """Missing, foreign and doubled ids, a changed hash, a kind that is none and an extra row; good rows wait, too."""
    path = exported.root / "april.review.xlsx"
    _harm(path)
    saved = save_in_libreoffice(path)
    before, routes = read_published(exported, **ARGS), read_routes(exported, **ARGS)
    run = exported.run("review", "import", "documents", str(saved))
    assert_told_plainly(
        run,
        exit_code=2,
        names=[
            "row 2, column A (work_id)",
            "row 3, column A (work_id)",
            "row 4, column B (input_sha256)",
            "(classify.category)",
            "row 6, column A (work_id)",
            "row 12",
        ],
    )
    assert read_published(exported, **ARGS) == before
    assert exported.run("run", "documents", "--json").calls_sent == 0
    assert read_routes(exported, **ARGS) == routes


def _move_columns(path: Path) -> None:
    book: Any = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    sheet.delete_cols([cell.value for cell in sheet[1]].index("decision") + 1)
    book.save(path)
    book.close()


def _write_another_workbook(path: Path) -> None:
    openpyxl.Workbook().save(path)


@pytest.mark.parametrize(
    ("harm", "words"),
    [(_move_columns, "decision"), (_write_another_workbook, "april.review.xlsx")],
    ids=["a column is gone", "another workbook"],
)
def test_another_file_is_told(exported: TinyProject, harm: Any, words: str):
    """A workbook that is not as it was written, or none of ours, is refused whole."""
    path = exported.root / "april.review.xlsx"
    harm(path)
    saved = save_in_libreoffice(path)
    run = exported.run("review", "import", "documents", str(saved))
    assert_told_plainly(run, exit_code=2, names=[words])
    assert "turned_down" not in read_routes(exported, **ARGS).values()
