from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import (
    COLUMNS,
    CONFIG,
    NOTES,
    PROMPT,
    SCHEMA,
    TinyProject,
    assert_told_plainly,
    build_project,
)

BATCH_KEYS = {
    "batch",
    "items",
    "outcomes",
    "calls_sent",
    "calls_reused",
    "tokens",
    "cost_usd",
    "cost_is_known",
    "elapsed_seconds",
    "artifacts",
}
"""What scripts rely on; more may come."""


def list_sources(project: TinyProject) -> list[Path]:
    """Every file that a person wrote, or that looks as if one had."""
    made = [project.root / name for name in (".dagster", "data/artifacts", "data/exports")]
    files = (path for path in project.root.rglob("*") if path.suffix in {".yaml", ".py", ".csv"})
    return sorted(path for path in files if not set(made) & set(path.parents))


def test_json_has_the_promised_shape(project: TinyProject):
    """`run --json` prints one object with the task and, for each batch, counts, tokens, cost, time and files."""
    run = project.run_json("notes")
    assert set(run.record) == {"task", "batches"}
    assert run.record["task"] == "notes"
    assert set(run.batch) >= BATCH_KEYS
    assert (run.batch["batch"], run.batch["items"]) == ("may", 6)
    assert run.batch["outcomes"] == {"accepted": 6}
    assert (run.batch["calls_sent"], run.batch["calls_reused"]) == (6, 0)
    tokens = run.batch["tokens"]
    assert set(tokens) == {"prompt", "completion", "cached"}
    assert min(tokens["prompt"], tokens["completion"]) > 0
    assert tokens["cached"] == 0
    assert (run.batch["cost_usd"], run.batch["cost_is_known"]) == (0.0, True)
    assert run.batch["elapsed_seconds"] > 0
    assert {Path(path).is_file() for path in run.batch["artifacts"].values()} == {True}
    assert {"export_csv", "export_jsonl", "report"} <= set(run.batch["artifacts"])
    assert run.stderr == ""


def test_lines_for_people_tell_plan_result_and_files(finished: TinyProject):
    """Without `--json`, standard error tells what will be sent, what came of it and where it lies."""
    run = finished.run("run", "notes", "--batch", "may")
    assert run.exit_code == 0
    assert run.stdout == ""
    for words in ("notes / may", "6 items: 6 answered already, 0 to run", "6 accepted", "0 calls"):
        assert words in run.stderr
    assert "rehearsal" in run.stderr
    assert str(finished.root / "data" / "exports" / "notes" / "may.csv") in run.stderr


def test_failed_items_end_with_1_and_stay_in_the_export(tmp_path: Path):
    """Items without an accepted answer are exported in their place with status and error, and the exit code is 1."""
    rows = [(str(n), "lathe", f"Note {n}.", "x") for n in range(30)]
    project = build_project(tmp_path / "project", model="flaky", rows=rows)
    project.edit("configs/notes.yaml", "attempts: 3", "attempts: 1")
    run = project.run("run", "notes", "--json")
    assert run.exit_code == 1
    n_accepted, n_invalid = (run.batch["outcomes"][name] for name in ("accepted", "invalid"))
    assert n_accepted + n_invalid == run.batch["items"] == 30
    export = project.read_export()
    assert [row["id"] for row in export] == [row[0] for row in rows]
    failed = [row for row in export if row["status"] == "invalid"]
    assert len(failed) == n_invalid > 0
    assert {(bool(row["error"]), row["summary"], row["attempts"]) for row in failed} == {
        (True, "", "1")
    }
    assert {row["error"] for row in export if row["status"] == "accepted"} == {""}


def test_a_limit_leaves_the_rest_for_a_later_run(project: TinyProject):
    """`--limit 3` asks for the first three that are due, a second one for the next, a plain run for the rest."""
    first = project.run_json("notes", "--limit", "2")
    assert first.batch["outcomes"] == {"accepted": 2, "skipped": 4}
    statuses = [row["status"] for row in project.read_export()]
    assert statuses == ["accepted"] * 2 + ["skipped"] * 4
    second = project.run_json("notes", "--limit", "3")
    assert second.batch["outcomes"] == {"accepted": 5, "skipped": 1}
    assert (second.calls_sent, second.batch["calls_reused"]) == (3, 2)
    rest = project.run_json("notes")
    assert rest.batch["outcomes"] == {"accepted": 6}
    assert (rest.calls_sent, rest.batch["calls_reused"]) == (1, 5)


def test_a_forced_run_asks_anew_once(finished: TinyProject):
    """`--force` sends every call again; a plain run after it reuses the new answers."""
    assert finished.run_json("notes", "--force").calls_sent == 6
    assert finished.run_json("notes").calls_sent == 0


def test_a_task_outside_of_any_project_runs_where_it_is(tmp_path: Path, finished: TinyProject):
    """`--config` with `--input` copies nothing into the project, and remembers the file for later runs."""
    config = CONFIG.format(endpoint="offline", model="extractive")
    config = config.replace("configs/schemas/notes.py", "schema.py").replace("prompts/", "")
    away = TinyProject(tmp_path / "away")
    away.write("visits.yaml", config)
    away.write("notes.yaml", PROMPT)
    away.write("schema.py", SCHEMA)
    table = away.write_table("tables/june.csv", NOTES[:3], COLUMNS)
    before = list_sources(finished)
    given = ("--config", str(away.root / "visits.yaml"))
    run = finished.run_json(*given, "--input", str(table))
    assert (run.record["task"], run.batch["batch"]) == ("visits", "june")
    assert run.batch["outcomes"] == {"accepted": 3}
    assert list_sources(finished) == before
    again = finished.run_json(*given)
    assert (again.batch["batch"], again.calls_sent) == ("june", 0)


def test_every_batch_runs_and_one_bad_one_keeps_none_from_it(project: TinyProject):
    """Without `--batch` all batches run; a table that cannot be read is told, and the others are finished."""
    project.write_table("data/notes/april.csv", NOTES[:2])
    project.write("data/notes/broken.csv", "id,topic\n1\n")
    run = project.run("run", "notes", "--json")
    assert run.exit_code == 2
    april, broken, may = run.record["batches"]
    assert (april["batch"], broken["batch"], may["batch"]) == ("april", "broken", "may")
    assert (april["items"], may["items"]) == (2, 6)
    assert "data/notes/broken.csv, line 2" in broken["error"]
    assert_told_plainly(run, exit_code=2, names=["data/notes/broken.csv"])


def test_the_working_directory_does_not_matter(finished: TinyProject):
    """A command in a folder of the project finds the project's root."""
    run = finished.run("run", "notes", "--json", cwd=finished.root / "data" / "notes")
    assert run.exit_code == 0
    assert run.calls_sent == 0


USAGE_MISTAKES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no task": ((), ("TASK", "--config")),
    "task and config": (("notes", "--config", "configs/notes.yaml"), ("TASK", "--config")),
    "unknown task": (("nots",), ("nots", "Did you mean 'notes'?", "configs/")),
    "unknown batch": (("notes", "--batch", "my"), ("'my'", "Did you mean 'may'?", "Batches: may")),
    "limit of nothing": (("notes", "--limit", "0"), ("--limit",)),
    "unknown option": (("notes", "--forse"), ("--forse", "--force")),
    "missing input": (("notes", "--input", "gone.csv"), ("gone.csv", "does not exist")),
    "input that is no table": (("notes", "--input", "prompts/notes.yaml"), ("ending", ".csv")),
    "missing config": (("--config", "gone.yaml"), ("gone.yaml", "does not exist")),
    "folder for a config": (("--config", "configs"), ("configs",)),
}


@pytest.mark.parametrize("name", USAGE_MISTAKES)
def test_a_wrong_command_is_told_plainly(project: TinyProject, name: str):
    """A mistake on the command line ends with exit code 2 and a message, before anything runs."""
    args, names = USAGE_MISTAKES[name]
    run = project.run("run", *args)
    assert_told_plainly(run, exit_code=2, names=names)
    assert not (project.root / ".dagster").exists()


def test_a_task_without_a_table_is_told_plainly(project: TinyProject):
    """An input folder without a table names the folder and what can be put into it."""
    (project.root / "data" / "notes" / "may.csv").unlink()
    run = project.run("run", "notes")
    assert_told_plainly(run, exit_code=2, names=("no batches", "data/notes", ".csv", "--input"))


def test_two_files_of_one_name_are_told_plainly(project: TinyProject):
    """Files that would be the same batch are both named."""
    project.write_table("data/notes/may.tsv", NOTES)
    run = project.run("run", "notes")
    assert_told_plainly(
        run, exit_code=2, names=("data/notes/may.csv", "data/notes/may.tsv", "Rename")
    )


def test_a_folder_without_a_project_is_told_plainly(tmp_path: Path):
    """Outside of a project a task name alone is not enough, and the message says what a project is."""
    run = TinyProject(tmp_path).run("run", "notes")
    assert_told_plainly(run, exit_code=2, names=("No project", "configs/<task>.yaml"))


def test_a_key_never_shows(project: TinyProject, monkeypatch: pytest.MonkeyPatch):
    """The value of a key variable is in no file and no message of a run that uses it."""
    key = "sk-very-secret-4711"
    monkeypatch.setenv("NOTES_KEY", key)
    project.write(
        "configs/endpoints.yaml",
        "endpoints:\n  offline:\n    preset: offline\n    api_key_env: NOTES_KEY\n",
    )
    run = project.run("run", "notes", "--json")
    assert run.exit_code == 0, run.stderr
    assert key not in run.stdout + run.stderr
    files = [path for path in project.root.rglob("*") if path.is_file()]
    assert [path for path in files if key.encode() in path.read_bytes()] == []
