"""Whether processes that share a ledger and a history keep out of each other's way."""

import json
import sqlite3
from contextlib import closing

import dagster as dg
import pytest

from llm_assets_tests.end_to_end.served_model import ServedModel
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

N_PROCESSES = 8
N_ROWS = 25
NOT_WELL = [status for status in dg.DagsterRunStatus if status != dg.DagsterRunStatus.SUCCESS]


def sum_ledger(project: TinyProject) -> tuple[int, int, int, int]:
    query = "select count(*), count(distinct call_key), sum(prompt_tokens), sum(completion_tokens) from calls"
    with closing(sqlite3.connect(project.root / "data" / "ledger.sqlite")) as connection:
        return connection.execute(query).fetchone()


@pytest.mark.slow
def test_eight_processes_share_one_ledger(tmp_path, served_model: ServedModel):
    """Eight runs at once all succeed and leave no place in the pool taken; ledger, accounts and server agree."""
    project = build_project(tmp_path / "project", base_url=served_model.base_url)
    batches = [f"week{number}" for number in range(N_PROCESSES)]
    for batch in batches:
        rows = [(str(n), "lathe", f"Note {n} of {batch}.", "x") for n in range(N_ROWS)]
        project.write_table(f"data/notes/{batch}.csv", rows)
    before = served_model.read_tally()
    processes = [project.start("run", "notes", "--batch", batch, "--json") for batch in batches]
    ends = [(process.communicate(), process.returncode) for process in processes]
    after = served_model.read_tally()
    assert [code for _, code in ends] == [0] * N_PROCESSES, [err for (_, err), _ in ends]
    records = [json.loads(out)["batches"][0] for (out, _), _ in ends]
    assert [record["outcomes"] for record in records] == [{"accepted": N_ROWS}] * N_PROCESSES
    served = {name: after[name] - before[name] for name in after if isinstance(after[name], int)}
    n_calls = N_PROCESSES * N_ROWS
    prompt = sum(record["tokens"]["prompt"] for record in records)
    completion = sum(record["tokens"]["completion"] for record in records)
    assert served["n_requests"] == sum(record["calls_sent"] for record in records) == n_calls
    assert (served["prompt_tokens"], served["completion_tokens"]) == (prompt, completion)
    assert sum_ledger(project) == (n_calls, n_calls, prompt, completion)
    status = project.run("status", "notes", "--json").record
    ran = {batch["batch"]: batch["outcomes"] for batch in status["batches"]}
    assert {ran[batch].get("accepted") for batch in batches} == {N_ROWS}
    assert {batch["state"] for batch in status["batches"] if batch["batch"] in batches} == {"fresh"}
    with dg.DagsterInstance.from_config(str(project.root / ".dagster")) as history:
        slots = history.event_log_storage.get_concurrency_info("llm_api")
        assert (slots.active_slot_count, slots.pending_step_count) == (0, 0)
        assert history.get_runs_count(dg.RunsFilter(statuses=NOT_WELL)) == 0
