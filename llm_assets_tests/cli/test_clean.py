import os
import pty
import subprocess
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.process_locks import PROCESS_TAG, open_process_lock
from llm_assets_tests.end_to_end.tiny_project import (
    COMMAND,
    NOTES,
    TinyProject,
    assert_told_plainly,
    build_environ,
)

FROM_OUTPUTS = ["llm_outputs", "export", "report"]


def read_states(project: TinyProject) -> dict[str, dict[str, str]]:
    """The state of every stage of every batch."""
    batches = project.run("status", "notes", "--json").record["batches"]
    return {
        batch["batch"]: {name: stage["state"] for name, stage in batch["stages"].items()}
        for batch in batches
    }


def list_missing(project: TinyProject, batch: str = "may") -> list[str]:
    return [name for name, state in read_states(project)[batch].items() if state == "missing"]


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_stage_is_put_away_and_made_anew_without_a_call(finished: TinyProject):
    """The stage and what is made from it are missing, all else is as it was, and a refresh brings the same bytes back."""
    before = finished.read_outputs()
    inputs = {path: finished.read(path) for path in ("configs/notes.yaml", "data/notes/may.csv")}
    ledger = (finished.root / "data/ledger.sqlite").read_bytes()
    cleaned = finished.run("clean", "notes", "--from", "llm_outputs", "--yes", "--json")
    assert cleaned.exit_code == 0, cleaned.stderr
    (archive,) = cleaned.record["archives"]
    moved = [path for cell in cleaned.record["cleaned"] for path in cell["files"]]
    assert set(moved) == list_files(finished.root / archive)
    assert "artifacts/notes/llm_outputs/may.run.json" in moved
    assert {"exports/notes/may.csv", "exports/notes/may.jsonl", "reports/notes/may.md"} < set(moved)
    assert list_missing(finished) == FROM_OUTPUTS
    assert (finished.root / "data/ledger.sqlite").read_bytes() == ledger
    assert {path: finished.read(path) for path in inputs} == inputs
    done = finished.run("run", "notes", "--stale", "--json")
    assert (done.batch["made"], done.batch["calls_sent"]) == (FROM_OUTPUTS, 0)
    assert finished.read_outputs() == before


def test_the_schema_is_put_away_and_its_module_stays(finished: TinyProject):
    """What is made from the module goes; the file that a person wrote is never touched."""
    module = finished.read("configs/schemas/notes.py")
    cleaned = finished.run("clean", "notes", "--from", "schema", "--yes")
    assert cleaned.exit_code == 0, cleaned.stderr
    assert "may: llm_outputs, export, report" in cleaned.stdout
    assert "all batches: schema, schema_text, overview" in cleaned.stdout
    assert finished.read("configs/schemas/notes.py") == module
    status = finished.run("status", "notes", "--json").record
    assert {stage["state"] for stage in status["stages"].values()} == {"missing"}
    assert finished.run("run", "notes", "--json").calls_sent == 0
    assert finished.run("status", "notes", "--json").record["is_fresh"] is True


def test_one_batch_is_cleaned_alone(finished: TinyProject):
    """The other batches and what they share stay fresh, the look at all of them aside."""
    finished.write_table("data/notes/june.csv", NOTES[:2])
    finished.run_json("notes")
    finished.run("clean", "notes", "--from", "input_snapshot", "--batch", "june", "--yes")
    states = read_states(finished)
    assert set(states["june"].values()) == {"missing"}
    assert set(states["may"].values()) == {"fresh"}


def test_dagster_is_told_where_the_values_went(finished: TinyProject):
    """The latest event of a cleaned partition says so, since Dagster cannot forget a single one."""
    finished.run("clean", "notes", "--from", "report", "--yes")
    with dg.DagsterInstance.from_config(str(finished.root / ".dagster")) as history:
        key = dg.AssetKey(["notes", "report"])
        (record,) = history.fetch_materializations(key, limit=1).records
    event = record.asset_materialization
    assert event is not None
    assert (event.partition, (event.tags or {})["dagster/data_version"]) == ("may", "cleaned")
    assert "put away" in str(event.description)
    folder = str(event.metadata["llm_assets/put_away_to"].value)
    assert (finished.root / folder / "reports" / "notes" / "may.md").is_file()


def test_an_earlier_failure_does_not_come_back(finished: TinyProject):
    """A stage that failed once, was mended and then put away is missing and not failed."""
    good = finished.read("data/notes/may.csv")
    finished.write("data/notes/may.csv", "id,topic,text,internal\n1,2,3,4,5\n")
    assert finished.run("run", "notes").exit_code == 2
    finished.write("data/notes/may.csv", good)
    assert finished.run("run", "notes").exit_code == 0
    finished.run("clean", "notes", "--from", "input_snapshot", "--yes")
    assert list_missing(finished) == [
        "input_snapshot",
        "group_contexts",
        "work_items",
        *FROM_OUTPUTS,
    ]


def test_a_second_time_there_is_nothing(finished: TinyProject):
    """What was put away is not put away again."""
    finished.run("clean", "notes", "--from", "export", "--yes")
    again = finished.run("clean", "notes", "--from", "export", "--yes")
    assert (again.exit_code, again.stdout) == (0, "There is nothing to put away.\n")


def test_what_was_stopped_half_way_is_finished(finished: TinyProject):
    """Values whose files are gone already are told to Dagster by the next call."""
    (finished.root / "data/artifacts/notes/report/may.json").unlink()
    for ending in ("md", "html", "json"):
        (finished.root / f"data/reports/notes/may.{ending}").unlink()
    cleaned = finished.run(
        "clean", "notes", "--from", "report", "--batch", "may", "--yes", "--json"
    )
    assert cleaned.record["cleaned"] == [{"stage": "report", "batch": "may", "files": []}]
    assert cleaned.record["archives"] == []


def test_a_dry_run_lists_and_changes_nothing(finished: TinyProject):
    """Every file is named, and all are where they were."""
    before = list_files(finished.root / "data")
    shown = finished.run("clean", "notes", "--from", "report", "--dry-run")
    assert "reports/notes/may.md" in shown.stdout
    assert "nothing was changed" in shown.stdout
    assert list_files(finished.root / "data") == before
    assert list_missing(finished) == []


def test_without_a_terminal_it_has_to_be_said(finished: TinyProject):
    """A script that did not say --yes puts nothing away."""
    refused = finished.run("clean", "notes", "--from", "report")
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert list_missing(finished) == []


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("--from", "exprot"), ("Did you mean 'export'?",)),
        (("--from", "export", "--batch", "mai"), ("Did you mean 'may'?",)),
        (("--from", "overview", "--batch", "may"), ("Leave --batch out.",)),
    ],
)
def test_a_wrong_name_is_told(finished: TinyProject, args: tuple[str, ...], names: tuple[str, ...]):
    """Nothing is put away where a stage or a batch does not exist."""
    assert_told_plainly(finished.run("clean", "notes", *args, "--yes"), exit_code=2, names=names)


def test_a_batch_that_is_being_made_is_left_alone(finished: TinyProject):
    """While a run is at a batch it is not put away; once the process was killed it is."""
    job = "notes_batch"
    with dg.DagsterInstance.from_config(str(finished.root / ".dagster")) as history:
        with open_process_lock(history) as lock:
            tags = {PROCESS_TAG: lock, "dagster/partition": "may"}
            run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, tags=tags)
            history.add_run(run)
            refused = finished.run("clean", "notes", "--from", "report", "--yes")
            names = ("the batch may", "under way", "nothing was put away")
            assert_told_plainly(refused, exit_code=2, names=names)
        done = finished.run("clean", "notes", "--from", "report", "--yes")
    assert done.exit_code == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("said", "is_done"), [("y\n", True), ("n\n", False)])
def test_a_person_is_asked(finished: TinyProject, said: str, *, is_done: bool):
    """On a terminal the answer decides, and the question says how much it is about."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "clean", "notes", "--from", "report"],
        cwd=finished.root,
        env=build_environ({}),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, said.encode())
    stdout, stderr = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, stderr
    assert "Put these away (5 files)?" in stderr
    assert ("nothing was changed" in stdout) is not is_done
    assert (finished.root / "data/reports/notes/may.md").exists() is not is_done
