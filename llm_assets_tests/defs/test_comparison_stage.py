import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.staleness import Reason, StageStatus
from llm_assets.defs.library import build_task_assets
from llm_assets.defs.project_definitions import (
    build_definitions,
    build_project_definitions,
    build_scope,
)
from llm_assets.defs.run_ends import RunEnd
from llm_assets.defs.runs import TaskRunner
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project

MAY = BatchKey("may")
VARIANT = "configs/brief.yaml"
COMPARED = "extends: notes.yaml\ncompare:\n  with: notes\n"
LIMITS = "  max_changed: 0.5\n"
WARN = "checks:\n  agreement: {severity: warn}\n"
OTHER_MODEL = "llm:\n  model: flaky\nattempts:\n  attempts: 1\n  retry_failed: false\n"
"""It fails at most of the notes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A task and a variant that is compared with it, and their history."""

    tiny: TinyProject
    history: dg.DagsterInstance

    @property
    def project(self) -> Project:
        return Project(root=self.tiny.root, environ={})

    def set_variant(self, *lines: str) -> None:
        self.tiny.write(VARIANT, COMPARED + "".join(lines))

    def open_runner(self, name: str) -> TaskRunner:
        task = load_task(self.project, name)
        scope = build_scope(self.project, task, observers=())
        runner = TaskRunner(scope, self.history, process="test")
        runner.register(list_batches(task, self.project))
        assert runner.ensure_schema().problem is None
        return runner

    def run(self, name: str) -> RunEnd:
        return self.open_runner(name).run_batch(MAY, RunChoice(limit=None, is_forced=False))

    def refresh(self, name: str = "brief") -> RunEnd:
        return self.open_runner(name).refresh_batch(MAY)

    def read_status(self, stage: str) -> StageStatus:
        (batch,) = self.open_runner("brief").read_status().batches
        return batch.stages[stage]

    def list_stale(self) -> set[str]:
        (batch,) = self.open_runner("brief").read_status().batches
        return {name for name, status in batch.stages.items() if status.state != "fresh"}

    def count_materializations(self, stage: str) -> int:
        key = dg.AssetKey(["brief", stage])
        return len(self.history.fetch_materializations(key, limit=100).records)

    def read_metadata(self) -> dict[str, object]:
        event = self.history.get_latest_materialization_event(dg.AssetKey(["brief", "comparison"]))
        assert event is not None
        assert event.asset_materialization is not None
        return {k: value.value for k, value in event.asset_materialization.metadata.items()}

    def read_comparison(self):
        return json.loads(self.tiny.read("data/artifacts/brief/comparison/may.json"))

    def list_parents(self, stage: str) -> set[str]:
        graph = build_project_definitions(self.project).resolve_asset_graph()
        keys = graph.get(dg.AssetKey(["brief", stage])).parent_keys
        return {key.to_user_string() for key in keys}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two tasks that have not run yet."""
    with dg.DagsterInstance.ephemeral() as history:
        pair = Pair(build_project(tmp_path), history)
        pair.set_variant()
        yield pair


def change_base(pair: Pair) -> None:
    """Let the other task's answers come out in another way."""
    pair.tiny.edit("configs/notes.yaml", "model: extractive", "model: flaky")
    pair.tiny.edit("configs/notes.yaml", "attempts: 3", "attempts: 1\n  retry_failed: false")


def pin_variant(*lines: str) -> tuple[str, ...]:
    """What keeps the variant as it is while the task it extends changes."""
    return ("llm:\n  model: extractive\nattempts:\n  attempts: 3\n  retry_failed: true\n", *lines)


def test_a_run_brings_the_comparison_with_it(pair: Pair):
    """Value, page, Markdown and metadata are there, and the other task is side A."""
    assert pair.run("notes").problem is None
    end = pair.run("brief")
    assert (end.problem, end.failed_checks) == (None, ())
    found = pair.read_comparison()
    assert (found["a"]["name"], found["b"]["name"], found["n_pairs"]) == ("notes", "brief", 6)
    assert (found["n_changed"], found["n_same_calls"]) == (0, 6)
    text = pair.tiny.read("data/comparisons/brief/may.md")
    assert text.startswith("# notes (A) and brief (B)\n")
    assert "<html" in pair.tiny.read("data/comparisons/brief/may.html")
    metadata = pair.read_metadata()
    assert metadata["comparison"] == text
    assert (metadata["compared_with"], metadata["changed"], metadata["more_score"]) == (
        "notes",
        0,
        None,
    )
    assert pair.list_stale() == set()
    assert not (pair.tiny.root / "data/artifacts/notes/comparison").exists()


def test_the_stage_stands_in_the_lineage(pair: Pair):
    """It reads the outputs of both tasks, and the export comes after it only where it has something to guard."""
    assert pair.list_parents("comparison") == {"brief/llm_outputs", "notes/llm_outputs"}
    for lines, is_guarded in (
        ((), False),
        ((LIMITS,), True),
        ((LIMITS, WARN), False),
        ((LIMITS, "checks:\n  agreement: {enabled: false}\n"), False),
    ):
        pair.set_variant(*lines)
        assert ("brief/comparison" in pair.list_parents("export")) is is_guarded


def test_what_is_published_is_guarded_as_well(pair: Pair):
    """With a gate, programs get `published` and not the export, so it waits for the same check."""
    pair.set_variant(LIMITS, "gate:\n  field: score\n  at_least: 1\n")
    assert "brief/comparison" in pair.list_parents("published")


def test_scores_are_compared_where_both_tasks_have_them(pair: Pair):
    """Then the comparison comes after both assessments, and a limit can be set on the score."""
    rows = [(*row, "good") for row in NOTES]
    pair.tiny.write_table("data/notes/may.csv", rows, ("id", "topic", "text", "internal", "label"))
    config = pair.tiny.read("configs/notes.yaml")
    pair.tiny.write("configs/notes.yaml", f"{config}expected:\n  fields: {{mood: label}}\n")
    pair.set_variant(OTHER_MODEL, "")
    pair.tiny.edit(VARIANT, "  with: notes\n", "  with: notes\n  max_score_drop: 0.1\n")
    assert {"brief/assessment", "notes/assessment"} <= pair.list_parents("comparison")
    assert pair.run("notes").problem is None
    end = pair.run("brief")
    assert "the check agreement of comparison: The score is 16.7%" in str(end.problem)
    assert "`compare.max_score_drop` lets 0.1 pass." in str(end.problem)


def test_what_the_check_blocks_is_not_exported(pair: Pair):
    """The comparison is there to be read, nothing after it is made, and a refresh goes no further."""
    pair.set_variant(LIMITS, OTHER_MODEL)
    pair.run("notes")
    end = pair.run("brief")
    assert end.exit_code == 1
    assert str(end.problem).startswith(
        "The batch stopped at the check agreement of comparison: 5 of 6 (83.3%) of the items differ from notes;"
    )
    assert pair.read_comparison()["n_changed"] == 5
    assert pair.count_materializations("export") == 0
    assert pair.read_status("comparison").state == "failed"
    assert pair.refresh().problem is not None
    assert pair.count_materializations("export") == 0
    pair.set_variant("  max_changed: 0.9\n", OTHER_MODEL)
    assert pair.refresh().problem is None
    assert pair.list_stale() == set()


def test_a_warning_is_told_and_stops_nothing(pair: Pair):
    """The export is made as ever."""
    pair.set_variant(LIMITS, OTHER_MODEL, WARN)
    pair.run("notes")
    end = pair.run("brief")
    assert end.problem is None
    assert "agreement" in {check.name for check in end.failed_checks}
    assert pair.count_materializations("export") == 1


def test_new_outputs_of_the_other_task_make_it_stale(pair: Pair):
    """`status` says why, and a refresh compares anew; where the same came out, nothing is stale."""
    pair.set_variant(*pin_variant())
    pair.run("notes")
    pair.run("brief")
    pair.run("notes")
    assert pair.list_stale() == set()
    change_base(pair)
    assert pair.list_stale() == set()
    pair.run("notes")
    assert pair.read_status("comparison") == StageStatus(
        state="stale", reasons=(Reason(kind="compared_task", subject="may"),)
    )
    assert pair.list_stale() == {"comparison"}
    assert pair.refresh().problem is None
    assert pair.count_materializations("comparison") == 2
    assert pair.count_materializations("llm_outputs") == 1
    assert pair.read_comparison()["n_changed"] == 5
    assert pair.list_stale() == set()


def test_a_changed_limit_makes_the_comparison_stale_and_no_answer(pair: Pair):
    """It is free to compare again, and the check judges by the limits of now."""
    pair.run("notes")
    pair.set_variant(LIMITS)
    pair.run("brief")
    pair.set_variant("  max_changed: 0.4\n")
    assert pair.list_stale() == {"comparison", "export", "report"}
    assert pair.read_status("export").state == "will_be_stale"
    pair.refresh()
    assert [pair.count_materializations(stage) for stage in ("comparison", "export")] == [2, 1]


def test_a_batch_that_the_other_task_has_not_run(pair: Pair):
    """The comparison says what to run, the answers are kept, and a refresh goes on from there."""
    end = pair.run("brief")
    assert "Task brief is compared with notes (`compare` in its config)" in str(end.problem)
    assert "Run `llm-assets run notes --batch may`, and then `llm-assets run brief --stale`." in (
        str(end.problem)
    )
    assert pair.count_materializations("llm_outputs") == 1
    assert pair.read_status("comparison").state == "failed"
    pair.run("notes")
    assert pair.refresh().problem is None
    assert pair.list_stale() == set()


def test_dagster_itself_agrees(pair: Pair):
    """In the graph of the whole project, its own marks follow the batch of the other task."""
    pair.set_variant(*pin_variant())
    pair.tiny.write_table("data/notes/june.csv", NOTES[:2])
    pair.run("notes")
    pair.run("brief")
    other = load_task(pair.project, "notes")
    runner = pair.open_runner("notes")
    runner.register(list_batches(other, pair.project))
    runner.run_batch(BatchKey("june"), RunChoice(limit=None, is_forced=False))

    def is_fresh() -> bool:
        graph = build_project_definitions(pair.project).resolve_asset_graph()
        loading = LoadingContextForTest(pair.history)
        resolver = CachingStaleStatusResolver(pair.history, graph, loading)
        found = resolver.get_status(dg.AssetKey(["brief", "comparison"]), MAY)
        return found == StaleStatus.FRESH

    assert is_fresh()
    change_base(pair)
    pair.run("notes")
    assert not is_fresh()


def test_the_sensor_of_a_task_leaves_other_tasks_alone(pair: Pair):
    """A task's own automation does not reach the comparison of the task that is compared with it."""
    definitions = build_project_definitions(pair.project)
    graph = definitions.resolve_asset_graph()
    sensor = definitions.resolve_sensor_def("notes_keep_fresh")
    assert isinstance(sensor, dg.AutomationConditionSensorDefinition)
    keys = sensor.asset_selection.resolve(graph)
    assert {key.path[0] for key in keys} == {"notes"}
    assert dg.AssetKey(["notes", "report"]) in keys


def test_another_project_can_take_one_of_the_two_in(pair: Pair):
    """Without the other task's stages, its outputs are an asset from elsewhere."""
    assets = build_task_assets(pair.tiny.root / VARIANT)
    graph = dg.Definitions(assets=assets).resolve_asset_graph()
    assert graph.get(dg.AssetKey(["notes", "llm_outputs"])).is_external
    both = [load_task(pair.project, name) for name in ("brief", "notes")]
    graph = build_definitions(pair.project, both, observers=()).resolve_asset_graph()
    assert graph.get(dg.AssetKey(["notes", "llm_outputs"])).is_materializable
