"""Whether many batches run at once under the daemon, and the failed ones again and alone."""

import subprocess

import pytest

from llm_assets_tests.end_to_end.dagster_ui import LOCATION, Ui, open_ui
from llm_assets_tests.end_to_end.served_model import ServedModel
from llm_assets_tests.end_to_end.tiny_project import (
    DAGSTER,
    NOTES,
    TinyProject,
    build_environ,
    build_project,
)

JOB = "notes_batch"
BATCHES = ("april", "june", "may")
LAUNCH = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
RETRY = """mutation($params: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status } } }"""
RUNS = """query($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs {
  results { status tags { key value } } } } }"""


def read_runs(ui: Ui, backfill: str) -> dict[str, str]:
    """How the run of each batch of a backfill stands."""
    wanted = {"tags": [{"key": "dagster/backfill", "value": backfill}]}
    found = ui.ask(RUNS, filter=wanted)["runsOrError"]["results"]
    return {
        tag["value"]: run["status"]
        for run in found
        for tag in run["tags"]
        if tag["key"] == "dagster/partition"
    }


def wait_for_runs(ui: Ui, backfill: str, n_runs: int) -> dict[str, str]:
    """Until the daemon has seen that all runs are over; it looks every half minute."""

    def is_over() -> bool:
        found = ui.ask(STATUS, id=backfill)["partitionBackfillOrError"]
        return str(found.get("status")).startswith("COMPLETED")

    ui.wait_until(is_over)
    runs = read_runs(ui, backfill)
    assert len(runs) == n_runs
    return runs


def start_backfill(ui: Ui, query: str, params: dict[str, object]) -> str:
    (answer,) = ui.ask(query, params=params).values()
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    return answer["backfillId"]


def prepare(project: TinyProject) -> None:
    """Make all batches known, what they share, and one of them impossible to read."""
    for batch in BATCHES[:2]:
        rows = [(str(n), "lathe", f"Note {n} of {batch}.", "x") for n in range(4)]
        project.write_table(f"data/notes/{batch}.csv", rows)
    project.run_json("notes", "--limit", "1")
    project.write("data/notes/april.csv", "id,topic,text,internal\n1,2,3,4,5\n")


@pytest.mark.slow
def test_batches_run_together_and_the_failed_ones_again_alone(tmp_path, served_model: ServedModel):
    """A backfill runs every batch by itself; once a failed one is mended, a retry runs that one and no other."""
    project = build_project(tmp_path / "project", base_url=served_model.base_url)
    prepare(project)
    with open_ui(project) as ui:
        selector = {
            "partitionSetName": f"{JOB}_partition_set",
            "repositorySelector": {
                "repositoryLocationName": LOCATION,
                "repositoryName": "__repository__",
            },
        }
        first = start_backfill(ui, LAUNCH, {"selector": selector, "partitionNames": list(BATCHES)})
        ended = wait_for_runs(ui, first, len(BATCHES))
        assert ended == {"april": "FAILURE", "june": "SUCCESS", "may": "SUCCESS"}
        n_sent = served_model.count_requests()
        project.write_table("data/notes/april.csv", NOTES[:2])
        again = start_backfill(ui, RETRY, {"parentRunId": first, "strategy": "FROM_FAILURE"})
        assert wait_for_runs(ui, again, 1) == {"april": "SUCCESS"}
        assert served_model.count_requests() - n_sent <= len(NOTES[:2])
        by_hand = subprocess.run(
            [
                *(DAGSTER, "job", "backfill", "-m", LOCATION, "-j", JOB, "--noprompt"),
                *("--partitions", "june,may"),
            ],
            cwd=project.root,
            env=build_environ({"DAGSTER_HOME": str(project.root / ".dagster")}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert by_hand.returncode == 0, by_hand.stderr
        n_before = len(BATCHES) * 2 + 1  # by hand, in the backfill, and once more
        ui.wait_until(lambda: len(ui.list_runs(JOB)) == n_before + 2)
        latest = ui.list_runs(JOB)[:2]
        ui.wait_until(lambda: {ui.read_status(run) for run in latest} == {"SUCCESS"})
    status = project.run("status", "notes", "--json").record
    assert {batch["batch"]: batch["state"] for batch in status["batches"]} == dict.fromkeys(
        BATCHES, "fresh"
    )
