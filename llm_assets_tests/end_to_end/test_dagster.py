"""What Dagster's own command line and history make of a task."""

import subprocess
from collections.abc import Mapping

import dagster as dg
import pytest

from llm_assets_tests.end_to_end.tiny_project import DAGSTER, NOTES, TinyProject, build_environ

STAGES = ("input_snapshot", "group_contexts", "work_items", "llm_outputs", "export", "report")


def read_metadata(project: TinyProject, stage: str, batch: str = "may") -> Mapping[str, object]:
    """What the latest materialization of a stage tells, as plain values."""
    with dg.DagsterInstance.from_config(str(project.root / ".dagster")) as history:
        records = history.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(["notes", stage]), asset_partitions=[batch]
            ),
            limit=1,
        ).records
    (record,) = records
    event = record.asset_materialization
    assert event is not None
    return {name: value.value for name, value in event.metadata.items()}


def test_every_export_is_checked(finished_project: TinyProject):
    """A run leaves the check of its export's column types in the history, passed."""
    key = dg.AssetCheckKey(dg.AssetKey(["notes", "export"]), "column_types")
    with dg.DagsterInstance.from_config(str(finished_project.root / ".dagster")) as history:
        (record,) = history.event_log_storage.get_asset_check_execution_history(key, limit=5)
    assert record.status.value == "SUCCEEDED"


def count_materializations(project: TinyProject, stage: str) -> int:
    with dg.DagsterInstance.from_config(str(project.root / ".dagster")) as history:
        key = dg.AssetKey(["notes", stage])
        return len(history.fetch_materializations(key, limit=100).records)


def materialize(
    project: TinyProject, selection: str, partition: str
) -> subprocess.CompletedProcess[str]:
    args = ("asset", "materialize", "-m", "llm_assets.definitions", "--select", selection)
    return subprocess.run(
        [DAGSTER, *args, "--partition", partition],
        cwd=project.root,
        env=build_environ({"DAGSTER_HOME": str(project.root / ".dagster")}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_stage_tells_what_it_made(finished_project: TinyProject):
    """The materializations of a run carry row counts, calls, cost, tokens and a preview."""
    snapshot = read_metadata(finished_project, "input_snapshot")
    assert snapshot["dagster/row_count"] == 6
    assert "The lathe hums" in str(snapshot["preview"])
    outputs = read_metadata(finished_project, "llm_outputs")
    assert {name: outputs[name] for name in ("dagster/row_count", "items_accepted")} == {
        "dagster/row_count": 6,
        "items_accepted": 6,
    }
    assert (outputs["calls_sent"], outputs["cost_usd"]) == (6, 0.0)
    assert outputs["is_rehearsal"] is True
    for name in ("prompt_tokens", "completion_tokens", "model"):
        assert outputs[name]
    assert "'outcome': 'accepted'" in str(outputs["preview"])
    export = read_metadata(finished_project, "export")
    assert export["file_csv"] == str(
        finished_project.root / "data" / "exports" / "notes" / "may.csv"
    )
    assert "# " in str(read_metadata(finished_project, "report")["report"])


@pytest.mark.slow
def test_dagster_materializes_a_batch_that_was_registered(finished: TinyProject):
    """`dagster asset materialize` with the task's group and a batch works after `llm-assets run`, and sends no call.

    Every file stays as it was, to the byte, although another process with another hash seed made it again.
    """
    before = finished.read_outputs()
    done = materialize(finished, "group:notes", "may")
    assert done.returncode == 0, done.stderr
    assert [count_materializations(finished, stage) for stage in STAGES] == [2] * len(STAGES)
    assert read_metadata(finished, "llm_outputs")["calls_sent"] == 0
    assert finished.read_outputs() == before


@pytest.mark.slow
def test_dagster_tells_a_mistake_plainly(finished: TinyProject):
    """A row that is too long fails the step under Dagster with the same sentence, and earlier artifacts stay."""
    finished.write_table("data/notes/may.csv", [*NOTES, ("7", "roof", "Rain.", "g", "h")])
    before = finished.read_outputs()
    done = materialize(finished, "group:notes", "may")
    assert done.returncode != 0
    assert "data/notes/may.csv, line 8: the row has 5 cells" in done.stdout + done.stderr
    assert finished.read_outputs() == before
