"""What a run that is cut short leaves behind, and what the next one has to pay."""

import signal
import subprocess
from contextlib import suppress
from random import Random

import pytest

from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

N_ITEMS = 200
N_KILLS = 10
MAX_IN_FLIGHT = 8
SLOW_MODEL = "latency_seconds=0.1"


def build_long_project(root, served_model: ServedModel) -> TinyProject:
    rows = [(str(n), "lathe", f"Note number {n} about the lathe.", "x") for n in range(N_ITEMS)]
    project = build_project(root, base_url=served_model.base_url, rows=rows)
    project.edit("configs/notes.yaml", "max_in_flight: 4", f"max_in_flight: {MAX_IN_FLIGHT}")
    return project


def wait_for_requests(
    process: subprocess.Popen[str], served_model: ServedModel, n_requests: int
) -> None:
    while process.poll() is None and served_model.count_requests() < n_requests:
        let_pass(process, seconds=0.02)


def let_pass(process: subprocess.Popen[str], *, seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)


@pytest.mark.slow
def test_a_killed_process_repeats_no_more_than_was_in_flight(tmp_path):
    """After ten kills at random moments every item is accepted, for at most the calls in flight at each kill."""
    draw = Random(20261)  # noqa: S311 -- moments, not secrets
    with open_served_model(SLOW_MODEL) as served_model:
        project = build_long_project(tmp_path / "project", served_model)
        for _ in range(N_KILLS):
            process = project.start("run", "notes")
            target = served_model.count_requests() + draw.randint(0, N_ITEMS // N_KILLS)
            wait_for_requests(process, served_model, target)
            let_pass(process, seconds=draw.random() / 5)
            assert process.poll() is None, "the run was over before it could be killed"
            process.kill()
            process.communicate()
        last = project.run_process("run", "notes", "--json")
        assert last.exit_code == 0, last.stderr
        assert last.batch["outcomes"] == {"accepted": N_ITEMS}
        tally = served_model.read_tally()
    assert tally["most_in_flight"] > 1
    assert N_ITEMS <= tally["n_requests"] <= N_ITEMS + N_KILLS * MAX_IN_FLIGHT
    assert [row["id"] for row in project.read_export()] == [str(n) for n in range(N_ITEMS)]


@pytest.mark.slow
def test_ctrl_c_stops_soon_and_keeps_every_answer(tmp_path):
    """Ctrl-C ends a run within seconds with a sentence and exit code 130, and the next run asks for the rest alone."""
    with open_served_model(SLOW_MODEL) as served_model:
        project = build_long_project(tmp_path / "project", served_model)
        process = project.start("run", "notes")
        wait_for_requests(process, served_model, 40)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=10)
        assert process.returncode == 130, stderr
        assert stderr.splitlines()[-1].startswith("Stopped.")
        assert "Traceback" not in stdout + stderr
        told = project.run_process("status", "notes").stdout
        assert "llm_outputs failed (The run was stopped; its answers are kept.)" in told
        n_before = served_model.count_requests()
        last = project.run_process("run", "notes", "--json")
        assert last.batch["outcomes"] == {"accepted": N_ITEMS}
        assert last.batch["calls_reused"] >= n_before - MAX_IN_FLIGHT
        assert served_model.count_requests() <= N_ITEMS + MAX_IN_FLIGHT
