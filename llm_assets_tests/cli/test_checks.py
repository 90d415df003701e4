from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import (
    NOTES,
    TinyProject,
    assert_told_plainly,
    build_project,
)

CONFIG = "configs/notes.yaml"
TWICE = (*NOTES, ("7", "doors", NOTES[5][2], "g"))


def set_rule(project: TinyProject, rule: str) -> None:
    project.write(CONFIG, f"{project.read(CONFIG)}checks:\n  duplicates: {rule}\n")


@pytest.fixture
def doubled(tmp_path: Path) -> TinyProject:
    """A project in whose table a row stands twice."""
    return build_project(tmp_path / "project", rows=TWICE)


def test_a_warning_is_a_line_and_no_failure(doubled: TinyProject):
    """A check that warns is told on standard error beside the result, and to scripts in words of their own."""
    run = doubled.run("run", "notes")
    assert run.exit_code == 0
    lines = [line for line in run.stderr.splitlines() if "warning: check" in line]
    assert len(lines) == 1
    assert "warning: check duplicates of work_items: 1 of 7 items show the model" in lines[0]
    assert "7 accepted" in run.stderr
    (check,) = doubled.run_json("notes").batch["failed_checks"]
    assert check.pop("sentence").startswith("1 of 7 items")
    assert check == {
        "stage": "work_items",
        "check": "duplicates",
        "severity": "warn",
        "blocking": False,
    }


def test_an_error_ends_with_1_beside_the_result(doubled: TinyProject):
    """A check that is an error and blocks nothing leaves the result in place and says that something is wrong."""
    set_rule(doubled, "{severity: error}")
    run = doubled.run("run", "notes")
    assert_told_plainly(run, exit_code=1, names=["check duplicates of work_items", "1 of 7 items"])
    assert "7 accepted" in run.stderr
    assert len(doubled.read_export()) == 7


def test_a_blocking_error_stops_the_batch_before_it_costs(doubled: TinyProject):
    """The batch ends with one plain sentence and exit code 1; nothing is asked, and nothing exported."""
    set_rule(doubled, "{severity: error, blocking: true}")
    run = doubled.run("run", "notes")
    assert_told_plainly(
        run,
        exit_code=1,
        names=["The batch stopped at the check duplicates of work_items", "line 8"],
    )
    assert "plan:" not in run.stderr
    assert not (doubled.root / "data/exports").exists()
    (batch,) = doubled.run("run", "notes", "--json").record["batches"]
    assert batch.keys() == {"batch", "error"}


def test_one_blocked_batch_does_not_keep_the_next_from_running(doubled: TinyProject):
    """A sound batch is brought to its end although another one is blocked."""
    doubled.write_table("data/notes/sound.csv", NOTES)
    set_rule(doubled, "{severity: error, blocking: true}")
    run = doubled.run("run", "notes", "--json")
    assert run.exit_code == 1
    blocked, sound = run.record["batches"]
    assert (blocked["batch"], "duplicates" in blocked["error"]) == ("may", True)
    assert (sound["batch"], sound["outcomes"]) == ("sound", {"accepted": 6})
