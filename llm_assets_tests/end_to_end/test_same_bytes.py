"""Whether the same inputs give the same bytes, wherever, whenever and however fast they are worked on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import (
    NOTES,
    REPOSITORY,
    TinyProject,
    build_environ,
    build_project,
)

EXAMPLES = (
    "course_feedback",
    "interview_questions",
    "product_reviews",
    "scanned_pages",
    "ticket_triage",
)
RUN_EXAMPLES = f"""
from llm_assets.cli.main import cli
for task in {EXAMPLES!r}:
    try:
        cli(["run", task], standalone_mode=False)
    except SystemExit as exc:
        assert exc.code == 0, exc.code
"""
SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "2", "TZ": "America/Caracas", "LC_ALL": "tr_TR.UTF-8"},
)


def copy_examples(root: Path) -> TinyProject:
    for name in ("configs", "prompts", "data/samples"):
        shutil.copytree(REPOSITORY / name, root / name)
    return TinyProject(root)


def keep_untimed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the pages and numbers of reports: they say how long each answer took, which no two runs share."""
    return {
        path: content
        for path, content in files.items()
        if not (path.startswith("data/reports/") and path.endswith((".html", ".json")))
    }


def assert_same_files(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert sorted(one) == sorted(other)
    assert [path for path in one if one[path] != other[path]] == []


def test_the_folder_does_not_show(tmp_path: Path):
    """Two projects with the same files in two folders make the same artifacts, exports and reports."""
    projects = [build_project(tmp_path / name) for name in ("a", "b b/ü")]
    for project in projects:
        project.run_json("notes")
    one, other = (project.read_outputs() for project in projects)
    assert len(one) == 20
    assert sorted(one) == sorted(other)
    assert_same_files(keep_untimed(one), keep_untimed(other))


def test_the_number_in_flight_does_not_show(tmp_path: Path):
    """One call after the other and sixteen at once give the same bytes, but for the setting in the report.

    The overview holds the versions of all stages, and so the report's.
    """
    rows = [(str(n), "lathe", f"Note {n} says {n % 7}.", "x") for n in range(len(NOTES) * 5)]
    outputs: list[dict[str, bytes]] = []
    for number in (1, 16):
        project = build_project(tmp_path / str(number), rows=rows)
        project.edit("configs/notes.yaml", "max_in_flight: 4", f"max_in_flight: {number}")
        project.run_json("notes")
        made = project.read_outputs()
        outputs.append(
            {path: made[path] for path in made if "report" not in path and "overview" not in path}
        )
    assert_same_files(*outputs)


@pytest.mark.slow
def test_a_run_again_changes_no_byte(tmp_path: Path):
    """What an unchanged re-run writes, and a run that was first cut to a few items, is the same to the byte."""
    project = build_project(tmp_path / "project")
    project.run_json("notes")
    before = project.read_outputs()
    project.run_json("notes")
    assert_same_files(before, project.read_outputs())
    in_two_parts = build_project(tmp_path / "parts")
    in_two_parts.run_json("notes", "--limit", "2")
    in_two_parts.run_json("notes")
    assert_same_files(keep_untimed(before), keep_untimed(in_two_parts.read_outputs()))


@pytest.mark.slow
def test_the_surroundings_do_not_show(tmp_path: Path):
    """The example tasks make the same bytes under other hash seeds, time zones and locales."""
    outputs: list[dict[str, bytes]] = []
    for number, surroundings in enumerate(SURROUNDINGS):
        project = copy_examples(tmp_path / str(number))
        subprocess.run(
            [sys.executable, "-c", RUN_EXAMPLES],
            cwd=project.root,
            env=build_environ(surroundings),
            check=True,
            capture_output=True,
        )
        outputs.append(keep_untimed(project.read_outputs()))
    assert len(outputs[0]) > 4 * 14
    assert_same_files(*outputs)
