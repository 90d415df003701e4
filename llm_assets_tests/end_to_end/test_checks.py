"""What Dagster's own command line makes of checks."""

import subprocess

import dagster as dg
import pytest

from llm_assets_tests.end_to_end.tiny_project import DAGSTER, NOTES, TinyProject, build_environ

CONFIG = "configs/notes.yaml"
TWICE = (*NOTES, ("7", "doors", NOTES[5][2], "g"))


def materialize(project: TinyProject) -> subprocess.CompletedProcess[str]:
    select = ("--select", "group:notes", "--partition", "may")
    return subprocess.run(
        [DAGSTER, "asset", "materialize", "-m", "llm_assets.definitions", *select],
        cwd=project.root,
        env=build_environ({"DAGSTER_HOME": str(project.root / ".dagster")}),
        capture_output=True,
        text=True,
        check=False,
    )


def read_results(project: TinyProject, stage: str, check: str) -> list[tuple[bool, str | None]]:
    """Whether a check passed and for which batch, the latest one first."""
    key = dg.AssetCheckKey(dg.AssetKey(["notes", stage]), check)
    with dg.DagsterInstance.from_config(str(project.root / ".dagster")) as history:
        records = history.event_log_storage.get_asset_check_execution_history(key, limit=5)
        events = [record.event for record in records]
        found = [
            event.dagster_event.asset_check_evaluation_data
            for event in events
            if event and event.dagster_event
        ]
    return [(check.passed, check.partition) for check in found]


@pytest.mark.slow
def test_checks_run_with_dagsters_own_command(finished: TinyProject):
    """Results are kept for the batch, a blocking error stops it, and nobody reads of Dagster's previews."""
    sound = materialize(finished)
    assert sound.returncode == 0, sound.stderr
    finished.write_table("data/notes/may.csv", TWICE)
    rule = "checks:\n  duplicates: {severity: error, blocking: true}\n"
    finished.write(CONFIG, finished.read(CONFIG) + rule)
    before = finished.read("data/exports/notes/may.csv")
    blocked = materialize(finished)
    assert blocked.returncode != 0
    assert "notes/work_items: duplicates" in blocked.stdout + blocked.stderr
    assert read_results(finished, "work_items", "duplicates") == [
        (False, "may"),
        (True, "may"),
        (True, "may"),
    ]
    assert finished.read("data/exports/notes/may.csv") == before
    assert "PreviewWarning" not in sound.stderr + blocked.stderr
