import json
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.gated_project import (
    ROWS,
    answer_note,
    build_gated_project,
    fill_review,
    read_routes,
)
from llm_assets_tests.end_to_end.scripted_model import open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    """A gated project whose batch ran once."""
    with open_scripted_model(answer_note) as model:
        made = build_gated_project(tmp_path / "project", model.base_url)
        made.run("run", "notes")
    return made


def test_decisions_that_could_not_be_shown_are_no_success(project: TinyProject):
    """They are kept, and a script learns by the exit code that the batch is not sorted by them yet."""
    filled = fill_review(project, {"3": {"decision": "approve"}}, to="filled.xlsx")
    outputs = project.root / "data" / "artifacts" / "notes" / "llm_outputs" / "may.jsonl"
    away = outputs.rename(outputs.with_suffix(".away"))
    failed = project.run("review", "import", "notes", str(filled))
    assert failed.exit_code == 2
    assert "The decisions are kept, but the batch may could not be sorted by them" in failed.stderr
    away.rename(outputs)
    assert project.run("review", "import", "notes", str(filled)).exit_code == 0
    assert read_routes(project)["3"] == "published"


def test_workbooks_of_several_batches_leave_none_stale(project: TinyProject):
    """All decisions are kept before any batch is sorted by them, and each batch is sorted once."""
    project.write_table("data/notes/june.csv", [("7", *ROWS[2][1:])])
    project.run("run", "notes", "--batch", "june")
    files = [
        str(fill_review(project, {row: {"decision": "approve"}}, to=f"{row}.xlsx", batch=batch))
        for batch, row in (("may", "3"), ("june", "7"), ("may", "6"))
    ]
    run = project.run("review", "import", "notes", *files, "--json")
    assert run.exit_code == 0, run.stderr
    assert [each["added"] for each in json.loads(run.stdout)["reviews"]] == [1, 1, 1]
    status = json.loads(project.run("status", "notes", "--json").stdout)
    assert [each["state"] for each in status["batches"]] == ["fresh", "fresh"]


def test_a_workbook_with_mistakes_keeps_no_other_one_out(project: TinyProject):
    """Each of several files is told of, the good one is taken in, and the exit code says that one was not."""
    filled = fill_review(project, {"3": {"decision": "approve"}}, to="filled.xlsx")
    foreign = project.root / "foreign.xlsx"
    foreign.write_text("no workbook", encoding="utf-8")
    run = project.run("review", "import", "notes", str(foreign), str(filled), "--json")
    assert run.exit_code == 2
    refused, taken = json.loads(run.stdout)["reviews"]
    assert refused["file"] == "foreign.xlsx"
    assert "Nothing was taken in" in refused["error"]
    assert (taken["file"], taken["added"]) == ("filled.xlsx", 1)
    assert read_routes(project)["3"] == "published"
