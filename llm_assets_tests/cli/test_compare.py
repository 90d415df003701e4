import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from llm_assets.cli.compare_views import print_comparison
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.gateways.artifacts import load_records, write_records
from llm_assets.gateways.comparisons import choose_sides, compare_sides
from llm_assets.gateways.project import Project
from llm_assets_tests.end_to_end.tiny_project import (
    NOTES,
    TinyProject,
    assert_told_plainly,
)

ADDED = ("7", "paint", "A lovely <b>note</b> & more.", "g")


@pytest.fixture
def variant(finished: TinyProject) -> TinyProject:
    """The project with a second task of the same input, whose table has lost its first row and got a new one."""
    config = finished.read("configs/notes.yaml").replace("prompts/notes", "prompts/other")
    finished.write("configs/other.yaml", config)
    prompt = finished.read("prompts/notes.yaml")
    finished.write("prompts/other.yaml", prompt.replace("You sort", "You weigh"))
    finished.write_table("data/notes/may.csv", [*NOTES[1:], ADDED])
    done = finished.run("run", "other", "--json")
    assert done.exit_code == 0, done.stderr
    return finished


def compare(project: TinyProject, *args: str) -> str:
    done = project.run("compare", *args)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def compare_json(project: TinyProject, *args: str):
    return json.loads(compare(project, *args, "--json"))


def spoil(project: TinyProject, task: str, *, row: int, summary: str) -> None:
    """Let an output say something else, by the records that are stored."""
    path = Project(root=project.root, environ={}).artifacts / task / "llm_outputs/may.jsonl"
    outputs = load_records(path, LLMOutputs, shown="outputs")
    records = list(outputs.records)
    records[row] = replace(records[row], output={**(records[row].output or {}), "summary": summary})
    write_records(path, replace(outputs, records=tuple(records)))


def test_two_tasks_with_the_same_input(variant: TinyProject):
    """Rows are the same where they say the same; what only one side has is counted and named."""
    found = compare_json(variant, "notes", "other")
    assert (found["n_pairs"], found["n_only_a"], found["n_only_b"]) == (5, 1, 1)
    assert [place["work_id"] for place in found["only_a"]] == [
        variant.read_records("llm_outputs")[0]["work_id"]
    ]
    assert [(each["outcome_a"], each["outcome_b"]) for each in found["statuses"]] == [
        ("accepted", "accepted")
    ]
    prompts = {each["what"]: (each["a"], each["b"]) for each in found["made_with"]}["Prompt"]
    assert prompts == ("prompts/notes.yaml", "prompts/other.yaml")
    assert found["n_same_calls"] == 0


def test_values_that_differ_are_shown(variant: TinyProject):
    """In Markdown on a pipe, with the field, the item and both values, and harmless."""
    spoil(variant, "other", row=0, summary="<script>alert(1)</script>")
    text = compare(variant, "notes", "other")
    assert text.startswith("# notes (A) and other (B)\n")
    assert "Of them differ: 1 of 5 (20.0%); 95% interval 3.6% to 62.4%." in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>" not in text
    assert "| row 2 `" in text


def test_files_are_written(variant: TinyProject, tmp_path: Path):
    """Markdown and a page that runs nothing but its own script, beside one another; nothing is printed then."""
    spoil(variant, "other", row=0, summary="<script>alert(1)</script>")
    markdown, page = tmp_path / "new" / "c.md", tmp_path / "c.html"
    files = ("--markdown", str(markdown), "--html", str(page))
    assert compare(variant, "notes", "other", *files) == ""
    assert markdown.read_text(encoding="utf-8") == compare(variant, "notes", "other")
    html = page.read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert html.count("<script") == 1
    assert re.search(r'id="changed"', html)


def test_an_earlier_state_of_a_task(finished: TinyProject):
    """A copy of the artifacts made before a run is compared with what is there after it."""
    shutil.copytree(finished.root / "data/artifacts/notes", finished.root / "before")
    finished.edit("prompts/notes.yaml", "You sort", "You weigh")
    finished.run_json("notes")
    found = compare_json(finished, "./before", "notes")
    assert (found["a"]["name"], found["b"]["name"]) == ("./before", "notes")
    assert (found["n_pairs"], found["n_same_calls"]) == (6, 0)
    # What was put away may be the outputs alone; the rows are then those of now.
    for stage in ("input_snapshot", "work_items", "group_contexts"):
        shutil.rmtree(finished.root / "before" / stage)
    assert compare_json(finished, "./before", "notes") == found


def test_two_batches_of_a_task(finished: TinyProject):
    """Each is named with its task; rows that say the same are the same."""
    finished.write_table("data/notes/june.csv", [NOTES[2], ADDED])
    finished.run_json("notes", "--batch", "june")
    found = compare_json(finished, "notes@may", "notes@june")
    assert (found["n_pairs"], found["n_only_a"], found["n_only_b"]) == (1, 5, 1)
    assert (found["a"]["batches"], found["b"]["batches"]) == (["may"], ["june"])
    assert found["n_same_calls"] == 1


def test_batches_that_one_side_alone_has_are_told(variant: TinyProject):
    """They are not compared, and a batch that is named must be there."""
    variant.write_table("data/notes/june.csv", NOTES[:1])
    variant.run_json("notes", "--batch", "june")
    assert compare_json(variant, "notes", "other")["batches_only_a"] == ["june"]
    assert compare_json(variant, "notes", "other", "--batch", "may")["batches_only_a"] == []
    missing = variant.run("compare", "notes", "other", "--batch", "june")
    assert_told_plainly(missing, exit_code=2, names=["june", "other", "may"])
    for path in (variant.root / "data/artifacts/other").rglob("may.*"):
        path.unlink()
    variant.write_table("data/notes/july.csv", NOTES[:1])
    variant.run_json("other", "--batch", "july")
    apart = variant.run("compare", "notes", "other")
    assert_told_plainly(apart, exit_code=2, names=["no batch in common", "july", "task@batch"])


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["notes", "nots"], ["'nots'", "'notes'"]),
        (["notes", "./nowhere"], ["./nowhere", "llm_outputs"]),
        (["./before", "./before"], ["both folders"]),
    ],
)
def test_what_is_not_there_is_told(finished: TinyProject, args, names):
    """A task that does not exist, a folder without stages, and two folders of nobody knows which task."""
    shutil.copytree(finished.root / "data/artifacts/notes", finished.root / "before")
    assert_told_plainly(finished.run("compare", *args), exit_code=2, names=names)


def test_a_batch_is_named_once(finished: TinyProject):
    """`task@batch` and `--batch` would be two answers to one question."""
    done = finished.run("compare", "notes@may", "notes", "--batch", "may")
    assert done.exit_code == 2
    assert "names the batch already" in done.stderr


def test_a_terminal_gets_tables(variant: TinyProject, monkeypatch: pytest.MonkeyPatch, capsys):
    """Sides, differences, outcomes and fields, with examples, and nothing that steers the terminal."""
    spoil(variant, "other", row=0, summary="\x1b[31mred[/red]")
    monkeypatch.setenv("COLUMNS", "120")
    project = Project(root=variant.root, environ={})
    a, b = choose_sides("notes", "other", project)
    print_comparison(compare_sides(a, b, project, n_examples=5))
    text = capsys.readouterr().out
    for word in ("A: notes", "B: other", "accepted", "summary", "red[/red]", "no clear difference"):
        assert word in text
    assert "\x1b[31m" not in text
    assert "5 items on both sides; different: 1 of 5 (20.0%)" in text
