from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.project_definitions import build_project_definitions
from llm_assets.gateways.project import Project
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project
from llm_assets_tests.stage_names import BATCH_STAGES

LABELS = ("bad", "good", "good", "bad", "", "bad")
EXPECTED = "expected:\n  fields: {mood: {column: label}}\n  group_by: topic\n  min_score: 1\n"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project whose table has labels."""
    project = build_project(tmp_path)
    rows = [(*row, label) for row, label in zip(NOTES, LABELS, strict=True)]
    project.write_table("data/notes/may.csv", rows, ("id", "topic", "text", "internal", "label"))
    project.write("configs/notes.yaml", project.read("configs/notes.yaml") + EXPECTED)
    return project


def build_graph(tiny: TinyProject):
    definitions = build_project_definitions(Project(root=tiny.root, environ={}))
    return definitions.resolve_asset_graph()


def read_code_versions(tiny: TinyProject) -> dict[str, str | None]:
    graph = build_graph(tiny)
    stages = ("input_snapshot", "work_items", "llm_outputs", "assessment")
    return {stage: graph.get(dg.AssetKey(["notes", stage])).code_version for stage in stages}


def test_the_stage_is_there_where_something_is_expected(tiny: TinyProject):
    """It reads the rows and the outputs, and a task that expects nothing has none."""
    node = build_graph(tiny).get(dg.AssetKey(["notes", "assessment"]))
    assert {key.path[-1] for key in node.parent_keys} == {"input_snapshot", "llm_outputs"}
    assert node.description
    for later in ("export", "report"):
        parents = build_graph(tiny).get(dg.AssetKey(["notes", later])).parent_keys
        assert node.key in parents
    tiny.edit("configs/notes.yaml", EXPECTED, "")
    assert not build_graph(tiny).has(dg.AssetKey(["notes", "assessment"]))


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("min_score: 1", "min_score: 0.5", {"assessment"}),
        ("{column: label}", "{column: label, scorer: normalised}", {"assessment"}),
        ("samples: 3", "samples: 4", set[str]()),
        ("exclude: [id, internal]", "exclude: [id]", {"work_items"}),
        ("model: extractive", "model: echo", {"llm_outputs"}),
    ],
)
def test_a_changed_scorer_makes_the_scores_stale_and_no_answer(
    tiny: TinyProject, old: str, new: str, stale: set[str]
):
    """Scoring again is free, and no setting of it touches a call."""
    before = read_code_versions(tiny)
    tiny.edit("configs/notes.yaml", old, new)
    after = read_code_versions(tiny)
    assert {stage for stage in before if before[stage] != after[stage]} == stale


def test_a_changed_scoring_function_makes_the_scores_stale_and_no_answer(tiny: TinyProject):
    """The stage goes by the file that the function stands in."""
    tiny.write("configs/hooks/notes.py", "def score(output, expected):\n    return 0.5\n")
    tiny.edit(
        "configs/notes.yaml",
        "{column: label}",
        "{column: label, scorer: hook, hook: configs/hooks/notes.py:score}",
    )
    before = read_code_versions(tiny)
    tiny.edit("configs/hooks/notes.py", "0.5", "0.25")
    after = read_code_versions(tiny)
    assert {stage for stage in before if before[stage] != after[stage]} == {"assessment"}


def test_a_run_brings_the_scores_with_it(tiny: TinyProject):
    """`run` makes the stage, `status` lists it, and its records are beside those of the others."""
    tiny.run_json("notes")
    (status,) = tiny.run("status", "notes", "--json").record["batches"]
    assert status["state"] == "fresh"
    assert set(status["stages"]) == {*BATCH_STAGES, "assessment"}
    records = tiny.read_records("assessment")
    assert [record["fields"][0]["expected"] for record in records] == [
        label or None for label in LABELS
    ]
    assert records[4]["standing"] == "nothing_expected"
    assert tiny.run_json("notes").calls_sent == 0


def test_the_report_shows_the_scores(tiny: TinyProject):
    """In both of its forms, and the same when it is made again from what is stored."""
    tiny.run_json("notes")
    reports = {path: tiny.read(f"data/reports/notes/may.{path}") for path in ("md", "html")}
    assert "## Score" in reports["md"]
    assert "right answers of 5 items; 95% interval" in reports["md"]
    assert "1 item of which nothing is expected: left out." in reports["html"]
    assert 'href="../../artifacts/notes/assessment/may.jsonl"' in reports["html"]
    assert tiny.run("report", "notes").exit_code == 0
    again = {path: tiny.read(f"data/reports/notes/may.{path}") for path in ("md", "html")}
    assert again == reports
