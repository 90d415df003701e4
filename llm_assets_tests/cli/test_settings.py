"""What `--set` and `!required` do on the command line."""

import json

import pytest

from llm_assets_tests.end_to_end.tiny_project import TinyProject, assert_told_plainly

GAPS = {
    "model: extractive": "model: !required which model answers",
    "temperature: 0": "temperature: !required how freely, from 0 to 2",
    "folder: data/notes": "folder: !required where the notes lie",
}


def open_gaps(project: TinyProject) -> None:
    for old, new in GAPS.items():
        project.edit("configs/notes.yaml", old, new)


@pytest.mark.parametrize("command", ["run", "plan"])
def test_an_unknown_setting_gets_a_suggestion(project: TinyProject, command: str):
    """A slip in a path ends with the setting that was meant, before anything is done."""
    run = project.run(command, "notes", "--set", "llm.temprature=1")
    names = ("--set llm.temprature", "Did you mean 'llm.temperature'?")
    assert_told_plainly(run, exit_code=2, names=names)
    assert not (project.root / ".dagster").exists()


def test_the_difference_to_the_file_is_told_and_kept(project: TinyProject):
    """Settings for one run are told before it, in its JSON, in the run's account, and in the report."""
    given = ("--set", "llm.temperature=0.5", "--set", "export.formats=[csv]", "--batch", "may")
    line = "set: llm.temperature = 0.5 (in the file: 0.0)"
    assert line in project.run("plan", "notes", *given).stderr
    run = project.run("run", "notes", *given)
    assert run.exit_code == 0
    assert run.stderr.index(line) < run.stderr.index("notes / may")
    changes = {
        "llm.temperature": {"file": 0.0, "run": 0.5},
        "export.formats": {"file": ["csv", "jsonl"], "run": ["csv"]},
    }
    assert project.run("run", "notes", *given, "--json").record["set"] == changes
    account = json.loads(project.read("data/artifacts/notes/llm_outputs/may.run.json"))
    assert account["origin"]["settings"]["llm"]["temperature"] == 0.5
    assert {each["path"] for each in account["origin"]["changes"]} == set(changes)
    report = project.read("data/reports/notes/may.md")
    assert "| `llm.temperature` | 0.0 | 0.5 |" in report
    assert '"temperature": 0.5' in report
    assert sorted(path.name for path in (project.root / "data/exports/notes").iterdir()) == [
        "may.csv"
    ]


def test_a_setting_is_for_one_run_alone(project: TinyProject):
    """Another temperature is another call; the next run without it finds the first answers again."""
    assert project.run_json("notes").calls_sent == 6
    assert project.run_json("notes", "--set", "llm.temperature=0.5").calls_sent == 6
    again = project.run_json("notes")
    assert again.calls_sent == 0
    assert "set" not in again.record
    assert "Set for this run" not in project.read("data/reports/notes/may.md")


@pytest.mark.parametrize("command", ["run", "plan"])
def test_every_missing_value_is_named(project: TinyProject, command: str):
    """A run that lacks three values names all three, with the file's words and places, and does nothing."""
    open_gaps(project)
    run = project.run(command, "notes")
    assert_told_plainly(run, exit_code=2, names=("lacks 3 values; nothing was sent",))
    for words in ("which model answers", "how freely, from 0 to 2", "where the notes lie"):
        assert words in run.stderr
    for path in ("llm.model", "llm.temperature", "input.folder"):
        assert f"--set {path}=…" in run.stderr
    assert not (project.root / ".dagster").exists()


def test_given_values_let_a_task_run(project: TinyProject):
    """With its values given, the task does what it would do with them in its file."""
    plain = project.run_json("notes")
    assert plain.calls_sent == 6
    open_gaps(project)
    given = ("llm.model=extractive", "llm.temperature=0", "input.folder=data/notes")
    run = project.run_json("notes", *(part for each in given for part in ("--set", each)))
    assert run.calls_sent == 0
    assert run.record["set"]["llm.model"] == {"file": None, "run": "extractive"}


def test_a_task_with_gaps_keeps_no_other_from_running(project: TinyProject):
    """The project loads and shows its tasks, one with values still to be given among them."""
    project.write(
        "configs/other.yaml", "extends: notes.yaml\nllm: {model: !required which model}\n"
    )
    assert project.run_json("notes").calls_sent == 6
    assert project.run("status", "other", "--json").exit_code == 0


def test_a_variant_runs_over_the_same_batches(project: TinyProject):
    """A variant finds the batches of the task it extends, and has outputs and exports of its own."""
    project.run_json("notes")
    project.write("configs/warm.yaml", "extends: notes.yaml\nllm: {temperature: 1}\n")
    run = project.run_json("warm")
    assert (run.batch["batch"], run.calls_sent) == ("may", 6)
    assert (project.root / "data/exports/warm/may.csv").is_file()
    assert "| Extends | `configs/notes.yaml` |" in project.read("data/reports/warm/may.md")
    same = project.run_json("warm", "--set", "llm.temperature=0")
    assert same.calls_sent == 0
