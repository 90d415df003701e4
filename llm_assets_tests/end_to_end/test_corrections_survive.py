"""Whether what a person decided once holds in every later run, until the row itself is another one."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from llm_assets_tests.end_to_end.gated_project import (
    ROUTES,
    ROWS,
    answer_note,
    build_gated_project,
    fill_review,
    read_published,
    read_routes,
)
from llm_assets_tests.end_to_end.scripted_model import Asked, ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import Row, TinyProject

pytestmark = pytest.mark.slow

TABLE, PROMPT = "data/notes/may.csv", "prompts/notes.yaml"
WRITTEN = "The belt is new."
DECIDED = {
    "3": {"decision": "edit", "summary": WRITTEN, "note": "I was there."},
    "4": {"decision": "approve"},
    "6": {"decision": "reject"},
}
REVIEWED = {**ROUTES, "3": "published", "4": "published", "6": "turned_down"}


def answer_otherwise(asked: Asked) -> dict[str, Any] | str:
    """What the model says once people have decided: other words, and it is sure of everything."""
    said = answer_note(asked)
    return said if isinstance(said, str) else {**said, "summary": "Well.", "confidence": 1.0}


@pytest.fixture(scope="module")
def model() -> Generator[ScriptedModel]:
    """A model that changes its mind after the review."""
    with open_scripted_model(answer_note) as model:
        yield model


@pytest.fixture(scope="module")
def reviewed_project(tmp_path_factory: pytest.TempPathFactory, model: ScriptedModel) -> TinyProject:
    """A batch that was run once, and what waited then decided on."""
    project = build_gated_project(tmp_path_factory.mktemp("gated") / "project", model.base_url)
    project.run("run", "notes")
    fill_review(project, DECIDED, to="filled.xlsx")
    assert project.run("review", "import", "notes", "filled.xlsx").exit_code == 0
    model.script = answer_otherwise
    return project


@pytest.fixture
def reviewed(reviewed_project: TinyProject, model: ScriptedModel, tmp_path: Path) -> TinyProject:
    """A copy of it."""
    model.asked.clear()
    return reviewed_project.copy(tmp_path / "project")


def change_row(number: int, **cells: str) -> list[Row]:
    """The table with other cells in one row."""
    names = ("id", "topic", "text", "internal")
    changed = tuple(cells.get(name, old) for name, old in zip(names, ROWS[number], strict=True))
    return [*ROWS[:number], changed, *ROWS[number + 1 :]]


def run(project: TinyProject, *args: str) -> int:
    """Run the batch; how many calls that sent."""
    done = project.run("run", "notes", "--batch", "may", *args, "--json")
    assert done.exit_code == 1, done.stderr  # one row is refused
    return done.calls_sent


CHANGES: dict[str, tuple[Callable[[TinyProject], object], tuple[str, ...], int]] = {
    "a re-run": (lambda _: None, (), 0),
    "force": (lambda _: None, ("--force",), 6),
    "another prompt": (lambda project: project.edit(PROMPT, "You sort", "You file"), (), 6),
    "another model": (lambda _: None, ("--set", "llm.model=other"), 6),
    "another order": (lambda project: project.write_table(TABLE, ROWS[::-1]), (), 0),
    "a cell that nobody looks at": (
        lambda project: project.write_table(TABLE, change_row(2, internal="z")),
        (),
        0,
    ),
    "another row": (
        lambda project: project.write_table(TABLE, [*ROWS, ("9", *ROWS[0][1:])]),
        (),
        0,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_decision_outlives(reviewed: TinyProject, name: str):
    """It stays what is published, whatever is asked anew and whatever the model says by then."""
    change, args, n_calls = CHANGES[name]
    before = read_published(reviewed)
    change(reviewed)
    assert run(reviewed, *args) == n_calls
    routes = read_routes(reviewed)
    assert {row: routes[row] for row in REVIEWED} == REVIEWED
    after = read_published(reviewed)
    for row in ("3", "4"):
        kept = ("output", "origin", "reviewer", "note", "enriched_at")
        assert {key: after[row][key] for key in kept} == {key: before[row][key] for key in kept}
    assert after["3"]["output"]["summary"] == WRITTEN
    assert after["1"]["output"]["summary"] == ("Well." if n_calls else "The belt slips")
    assert f"People decided on {len(DECIDED)} of these" in reviewed.read(
        "data/reports/notes/may.md"
    )


def test_a_decision_holds_in_another_batch(reviewed: TinyProject):
    """The same row is published as the person wrote it, wherever it turns up; another row of the same words is not."""
    reviewed.write_table("data/notes/june.csv", [ROWS[2], ("7", *ROWS[3][1:])])
    done = reviewed.run("run", "notes", "--batch", "june", "--json")
    assert done.exit_code == 0, done.stderr
    assert read_routes(reviewed, batch="june") == {"3": "published", "7": "review_queue"}
    published = read_published(reviewed, batch="june")
    assert (published["3"]["origin"], published["3"]["output"]["summary"]) == ("person", WRITTEN)
    states = [each["state"] for each in reviewed.read_records("corrections", batch="june")]
    assert states == ["applied"]
    assert read_routes(reviewed) == REVIEWED


def test_a_decision_is_flagged_once_its_row_has_changed(reviewed: TinyProject):
    """It applies no more and is not lost: gate, report and `corrections` say so, and it is back with the old row."""
    reviewed.write_table(TABLE, change_row(2, text="The belt tore. sure: 0.1"))
    assert run(reviewed) == 1
    assert read_published(reviewed)["3"]["output"]["summary"] == "Well."
    states = {
        each["correction"]["key"]: each["state"] for each in reviewed.read_records("corrections")
    }
    assert states == {"3": "outdated", "4": "applied", "6": "applied"}
    (routed,) = [each for each in reviewed.read_records("gate") if each["row_ids"] == ["3"]]
    assert "What Ana decided on" in routed["why"]
    assert "the row has changed since" in routed["why"]
    report = reviewed.read("data/reports/notes/may.md")
    assert "1 decision of a person no longer applies, because its row has changed" in report

    reviewed.write_table(TABLE, ROWS)
    assert run(reviewed) == 0
    assert read_routes(reviewed) == REVIEWED
    assert read_published(reviewed)["3"]["output"]["summary"] == WRITTEN


def test_a_row_that_is_gone_takes_its_decision_along(reviewed: TinyProject):
    """The decision stays on record as `gone`, and is neither published nor counted."""
    reviewed.write_table(TABLE, [row for row in ROWS if row[0] != "3"])
    assert run(reviewed) == 0
    assert "3" not in read_published(reviewed)
    states = [each["state"] for each in reviewed.read_records("corrections")]
    assert states == ["gone", "applied", "applied"]


def test_the_latest_decision_counts(reviewed: TinyProject):
    """Somebody who thinks again exports what is decided, and the earlier decision is kept as superseded."""
    done = reviewed.run(
        "review", "export", "notes", "--with-decided", "--batch", "may", "--reviewer", "Ben"
    )
    assert done.exit_code == 0, done.stderr
    edits = {"3": {"decision": "reject", "reviewer": "Ben"}, "6": {"decision": "approve"}}
    fill_review(reviewed, edits, to="again.xlsx", workbook=reviewed.root / "may.review.xlsx")
    done = reviewed.run("review", "import", "notes", "again.xlsx", "--json")
    assert done.exit_code == 0, done.stderr
    assert read_routes(reviewed) == {**REVIEWED, "3": "turned_down", "6": "published"}
    states = [each["state"] for each in reviewed.read_records("corrections")]
    assert sorted(states) == ["applied"] * 3 + ["superseded"] * 2
