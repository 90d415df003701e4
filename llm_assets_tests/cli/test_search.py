import json
import sys
from pathlib import Path

import pytest

from llm_assets.gateways.offline_model.app import build_app
from llm_assets_tests.end_to_end.tiny_project import TinyProject, assert_told_plainly
from llm_assets_tests.gateways.vectors import EMBED, VectorProject


@pytest.fixture
def embedded(project: TinyProject) -> TinyProject:
    """A project whose task has vectors."""
    pytest.importorskip("lancedb", reason="the extra `vectors` is not installed")
    project.write("configs/notes.yaml", project.read("configs/notes.yaml") + EMBED)
    VectorProject(tiny=project, app=build_app()).embed()
    return project


def test_search_lists_the_nearest_records(embedded: TinyProject):
    """A line each: score, batch, id and text, with tabs between them."""
    run = embedded.run("search", "notes", "lathe belt", "--limit", "2")
    assert (run.exit_code, run.stderr) == (0, "")
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    assert len(lines) == 2
    score, *rest = lines[0]
    assert float(score) > 0.3
    assert rest == ["may", "n1", "summary: The belt of the lathe slips under load."]


def test_json_holds_the_records(embedded: TinyProject):
    """An object a line, with the input and the output that were published."""
    run = embedded.run("search", "notes", "lathe belt", "--json")
    records = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(records) == 5
    assert records[0].keys() == {"score", "batch", "record_id", "text", "input", "output"}
    assert records[0]["output"] == {"summary": "The belt of the lathe slips under load."}


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("notes", "  "), ["no words"]),
        (("nots", "paint"), ["Did you mean 'notes'?"]),
    ],
)
def test_mistakes_are_told_plainly(embedded: TinyProject, args, names):
    """No stack trace for what a person can mend."""
    assert_told_plainly(embedded.run("search", *args), exit_code=2, names=names)


def test_a_task_without_vectors_says_what_to_add(project: TinyProject):
    """The block `embed` is the remedy."""
    assert_told_plainly(project.run("search", "notes", "x"), exit_code=2, names=["block `embed`"])


def test_without_the_package_it_says_what_to_install(
    project: TinyProject, monkeypatch: pytest.MonkeyPatch
):
    """The package is an extra."""
    project.write("configs/notes.yaml", project.read("configs/notes.yaml") + EMBED)
    monkeypatch.setitem(sys.modules, "lancedb", None)
    assert_told_plainly(
        project.run("search", "notes", "x"), exit_code=2, names=["llm-assets[vectors]"]
    )


def test_text_that_steers_a_terminal_is_shown_harmless(embedded: TinyProject, tmp_path: Path):
    """Texts come from tables and models."""
    VectorProject(tiny=embedded, app=build_app()).embed({"odd": "\x1b[31mred\npaint"})
    (line,) = embedded.run("search", "notes", "paint").stdout.splitlines()
    assert line.endswith("summary: \ufffd[31mred paint")
