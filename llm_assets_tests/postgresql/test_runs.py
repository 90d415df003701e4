"""Whether tasks run as ever when their ledger is on a server."""

import json
import subprocess
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.test_interruptions import wait_for_requests
from llm_assets_tests.end_to_end.tiny_project import (
    COLUMNS,
    NOTES,
    TinyProject,
    assert_told_plainly,
    build_project,
)
from llm_assets_tests.postgresql.server import PostgreSQLServer
from llm_assets_tests.postgresql.stores import count_rows

pytestmark = pytest.mark.slow

N_ROWS = 60
MAX_IN_FLIGHT = 8


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    """The address of a ledger that is not there yet."""
    return postgresql.make_schema()


def keep_ledger_at(project: TinyProject, url: str) -> TinyProject:
    project.write(".env", f"LLM_ASSETS_LEDGER_URL={url}\n")
    return project


def test_a_second_run_sends_nothing(url: str, tmp_path: Path):
    """A task runs through, its answers are on the server and nowhere else, and every command reads them there."""
    project = keep_ledger_at(build_project(tmp_path / "project"), url)
    plan = project.run("plan", "notes", "--json")
    assert plan.exit_code == 0, plan.stderr
    first = project.run_json("notes")
    assert (first.calls_sent, first.batch["outcomes"]) == (6, {"accepted": 6})
    second = project.run_json("notes")
    assert (second.calls_sent, second.batch["calls_reused"]) == (0, 6)
    assert count_rows(url, "calls") == len(NOTES)
    assert list(project.root.rglob("ledger.sqlite*")) == []
    work_id = project.read_records("llm_outputs")[0]["work_id"]
    for command in (
        ["spend", "--json"],
        ["trace", "notes", work_id, "--json"],
        ["report", "notes"],
    ):
        done = project.run(*command)
        assert done.exit_code == 0, done.stderr
    assert "6 calls" in project.run("doctor").stdout


def test_a_row_with_a_character_that_a_server_cannot_keep(url: str, tmp_path: Path):
    """NUL in a cell stops no run, and is kept as it was sent."""
    project = keep_ledger_at(build_project(tmp_path / "project", rows=[]), url)
    rows = [
        dict(zip(COLUMNS, ("1", "lathe", f"The belt {odd} slips.", "x"), strict=True))
        for odd in ("\x00", "\x1a0")
    ]
    (project.root / "data/notes/may.csv").unlink()
    project.write("data/notes/may.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    assert project.run_json("notes").batch["outcomes"] == {"accepted": 2}
    for record, row in zip(project.read_records("llm_outputs"), rows, strict=True):
        trace = project.run("trace", "notes", record["work_id"], "--json")
        assert trace.exit_code == 0, trace.stderr
        (sent,) = trace.record["calls"][0]["tries"]
        assert row["text"] in sent["messages"][-1]["content"]


def test_a_run_without_its_server_is_told(tmp_path: Path):
    """A server that is not there ends a run before its first call, in a sentence."""
    project = keep_ledger_at(
        build_project(tmp_path / "project"),
        f"postgresql+psycopg://anna:hunter2@/db?host={tmp_path}",
    )
    done = project.run("run", "notes")
    assert_told_plainly(done, exit_code=2, names=["The ledger cannot be opened", "server runs"])
    assert "hunter2" not in done.stdout + done.stderr


def start_and_wait(project: TinyProject, model: ServedModel, n_more: int) -> subprocess.Popen[str]:
    target = model.count_requests() + n_more
    process = project.start("run", "notes")
    wait_for_requests(process, model, target)
    assert process.poll() is None, "the run was over too soon"
    return process


def test_interruptions_cost_what_was_in_flight(
    postgresql: PostgreSQLServer, url: str, tmp_path: Path
):
    """A killed run, and one whose server goes away, are paid for up to then; the next asks for the rest alone."""
    rows = [(str(n), "lathe", f"Note number {n} about the lathe.", "x") for n in range(N_ROWS)]
    with open_served_model("latency_seconds=0.2") as model:
        project = build_project(tmp_path / "project", base_url=model.base_url, rows=rows)
        keep_ledger_at(project, url)
        project.edit("configs/notes.yaml", "max_in_flight: 4", f"max_in_flight: {MAX_IN_FLIGHT}")
        killed = start_and_wait(project, model, N_ROWS // 4)
        killed.kill()
        killed.communicate()
        stopped = start_and_wait(project, model, N_ROWS // 4)
        postgresql.stop()
        _, stderr = stopped.communicate(timeout=30)
        postgresql.start()
        assert stopped.returncode == 2, stderr
        assert stderr.count("The ledger cannot be written: ") == 1, stderr
        assert "Traceback" not in stderr
        last = project.run_process("run", "notes", "--json")
        assert last.batch["outcomes"] == {"accepted": N_ROWS}, last.stderr
        n_requests = model.count_requests()
    assert N_ROWS <= n_requests <= N_ROWS + 2 * MAX_IN_FLIGHT
