import os
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import CliRun, TinyProject, assert_told_plainly


def find_lines(run: CliRun, level: str) -> list[str]:
    assert "Traceback" not in run.stdout + run.stderr
    return [line for line in run.stdout.splitlines() if line.startswith(level)]


def test_a_project_that_can_run_is_well(finished: TinyProject):
    """Every line is fine and says what was found; the exit code is 0."""
    finished.write(".env", f"DAGSTER_HOME={finished.root}/.dagster\n")
    run = finished.run("doctor")
    assert run.exit_code == 0
    assert run.stdout.splitlines()[-1] == "All is well."
    words = ("Python", "dagster 1.13", "batches: 1", "knows extractive", "6 calls, 6 answers")
    for word in (*words, "history", "0 of 8 places taken"):
        assert word in run.stdout, run.stdout


def test_json_holds_the_same(finished: TinyProject):
    """For scripts: each finding with its level, and whether all is well."""
    run = finished.run("doctor", "notes", "--json")
    assert run.record["is_well"] is True
    levels = {each["subject"]: each["level"] for each in run.record["findings"]}
    assert levels["task notes"] == levels["endpoint offline"] == levels["history"] == "ok"


MISTAKES = {
    "a config": ("configs/notes.yaml", "context:", "contxt:", "Did you mean 'context'?"),
    "a prompt": ("prompts/notes.yaml", "user: |", "usr: |", "prompts/notes.yaml"),
    "a schema": ("configs/schemas/notes.py", "LLMOutput", "Output", "LLMOutput"),
    "a key": ("configs/notes.yaml", "endpoint: offline", "endpoint: openai", "OPENAI_API_KEY"),
    "a model": ("configs/notes.yaml", "extractive", "extractiv", "Did you mean 'extractive'?"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_would_stop_a_run_is_a_problem(
    project: TinyProject, case: str, monkeypatch: pytest.MonkeyPatch
):
    """A mistake is a line with its remedy and exit code 2, without a stack trace; all else is looked at, too."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(project.root))
    path, old, new, words = MISTAKES[case]
    project.edit(path, old, new)
    run = project.run("doctor")
    assert run.exit_code == 2
    assert any(words in line for line in find_lines(run, "problem")), run.stdout
    assert "history" in run.stdout


def test_mistakes_of_several_tasks_are_told_at_once(project: TinyProject):
    """Every task is looked at; one that is named, alone."""
    for name in ("one", "two"):
        project.write(f"configs/{name}.yaml", "prompt: prompts/gone.yaml\ncontxt: {}\n")
    run = project.run("doctor")
    assert len(find_lines(run, "problem")) == 2
    assert project.run("doctor", "notes").exit_code == 0


def test_a_ledger_that_is_none_is_a_problem(project: TinyProject):
    """A file that is no database is told, and left as it is."""
    project.write("data/ledger.sqlite", "no database at all, but long enough to be looked at" * 20)
    run = project.run("doctor")
    assert run.exit_code == 2
    assert any("ledger" in line for line in find_lines(run, "problem"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_files_is_a_problem(project: TinyProject):
    """A place that a run could not write to is named."""
    folder = project.root / "data" / "exports"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    run = project.run("doctor")
    folder.chmod(0o700)
    assert any(str(folder) in line for line in find_lines(run, "problem"))


def test_a_file_in_the_place_of_a_folder_is_a_problem(project: TinyProject):
    """What a run could not write to is named."""
    project.write("data/reports", "a file")
    run = project.run("doctor")
    assert any("reports" in line for line in find_lines(run, "problem"))


def test_a_task_without_tables_is_a_warning(project: TinyProject):
    """There is nothing to run yet, which is no mistake."""
    (project.root / "data/notes/may.csv").unlink()
    run = project.run("doctor")
    assert run.exit_code == 0
    assert any("data/notes" in line for line in find_lines(run, "warning"))


def test_a_task_that_does_not_exist_is_told(project: TinyProject, tmp_path: Path):
    """A wrong name is a mistake of usage, and so is a folder without any project."""
    assert_told_plainly(project.run("doctor", "nots"), exit_code=2, names=("notes",))
    assert_told_plainly(project.run("doctor", cwd=tmp_path), exit_code=2, names=("configs/",))
