"""What becomes of the place of a run that Dagster's own command started and that was killed."""

import subprocess
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.test_interruptions import (
    N_ITEMS,
    build_long_project,
    wait_for_requests,
)
from llm_assets_tests.end_to_end.tiny_project import DAGSTER, TinyProject, build_environ

ONE_PLACE = """\
telemetry: {enabled: false}
concurrency:
  pools: {granularity: op, default_limit: 1}
"""


def start_dagster(project: TinyProject) -> subprocess.Popen[str]:
    select = ["--select", "group:notes", "--partition", "may"]
    return subprocess.Popen(
        [DAGSTER, "asset", "materialize", "-m", "llm_assets.definitions", *select],
        cwd=project.root,
        env=build_environ({"DAGSTER_HOME": str(project.root / ".dagster")}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_dagster(project: TinyProject, served_model: ServedModel) -> None:
    """Kill Dagster's command while calls are under way, so that it holds the only place."""
    process = start_dagster(project)
    wait_for_requests(process, served_model, served_model.count_requests() + 10)
    assert process.poll() is None, process.stdout and process.stdout.read()
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_the_place_of_a_killed_dagster_command_is_freed(tmp_path: Path):
    """With one place in the pool, `doctor` gives it back, and so does the next run, whoever launches it."""
    with open_served_model("latency_seconds=0.3") as served_model:
        project = build_long_project(tmp_path / "project", served_model)
        project.write("dagster.yaml", ONE_PLACE)
        first = project.run_process("run", "notes", "--limit", "1")  # makes the batch known
        assert first.exit_code == 0, first.stderr
        kill_dagster(project, served_model)
        doctor = project.run_process("doctor")
        assert doctor.exit_code == 0, doctor.stdout
        assert "1 of killed processes ended, 1 places freed" in doctor.stdout
        assert "0 of 1 places taken" in doctor.stdout
        told = project.run_process("status", "notes").stdout
        assert "llm_outputs failed (The process of this run was killed" in told
        assert "work_items" not in told
        kill_dagster(project, served_model)
        following = start_dagster(project)
        told, _ = following.communicate(timeout=300)
        assert following.returncode == 0, told
        assert len(project.read_export()) == N_ITEMS
