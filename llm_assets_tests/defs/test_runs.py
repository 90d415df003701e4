from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.run_ends import RunEnd
from llm_assets.defs.runs import TaskRunner
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project
from llm_assets_tests.fakes import RecordingObserver
from llm_assets_tests.stage_names import BATCH_STAGES, TASK_STAGES

MAY = BatchKey("may")
ALL = RunChoice(limit=None, is_forced=False)
CONFIG, TABLE = "configs/notes.yaml", "data/notes/may.csv"
DATA_VERSION, CODE_VERSION = "dagster/data_version", "dagster/code_version"


@dataclass(frozen=True, slots=True)
class Workshop:
    """A tiny project with a Dagster history of its own, in memory."""

    tiny: TinyProject
    history: dg.DagsterInstance
    observer: RecordingObserver = field(default_factory=RecordingObserver)

    def run(self, choice: RunChoice = ALL) -> RunEnd:
        """What `llm-assets run` does: register, bring the schema up to date, run the batch."""
        project = Project(root=self.tiny.root, environ={})
        task = load_task(project, "notes")
        scope = build_scope(project, task, observers=[self.observer])
        runner = TaskRunner(scope, self.history, process="test")
        runner.register(list_batches(task, project))
        end = runner.ensure_schema()
        return end if end.problem else runner.run_batch(MAY, choice)

    def read_tags(self, stage: str) -> dict[str, str]:
        """The tags of the latest materialization of a stage."""
        partitions = None if stage in TASK_STAGES else [MAY]
        key = dg.AssetKey(["notes", stage])
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=partitions)
        (record,) = self.history.fetch_materializations(wanted, limit=1).records
        assert record.asset_materialization is not None
        return dict(record.asset_materialization.tags or {})

    def read_metadata(self, stage: str) -> dict[str, object]:
        key = dg.AssetKey(["notes", stage])
        event = self.history.get_latest_materialization_event(key)
        assert event is not None
        assert event.asset_materialization is not None
        return {k: value.value for k, value in event.asset_materialization.metadata.items()}

    def read_versions(self) -> dict[str, str]:
        return {stage: self.read_tags(stage)[DATA_VERSION] for stage in STAGES}

    def count_materializations(self, stage: str) -> int:
        key = dg.AssetKey(["notes", stage])
        return len(self.history.fetch_materializations(key, limit=100).records)

    def list_stale(self) -> set[str]:
        """The stages that Dagster itself finds stale, one step back."""
        project = Project(root=self.tiny.root, environ={})
        definitions = build_definitions(project, [load_task(project, "notes")], observers=())
        resolver = CachingStaleStatusResolver(
            self.history,
            definitions.resolve_asset_graph(),
            LoadingContextForTest(self.history),
        )
        stale: set[str] = set()
        for stage in STAGES:
            partition = None if stage in TASK_STAGES else MAY
            if resolver.get_status(dg.AssetKey(["notes", stage]), partition) != StaleStatus.FRESH:
                stale.add(stage)
        return stale

    def materialize(self, stage: str) -> None:
        """Run one stage alone, as the button of the UI does."""
        project = Project(root=self.tiny.root, environ={})
        definitions = build_definitions(project, [load_task(project, "notes")], observers=())
        job = definitions.resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(
            asset_selection=[dg.AssetKey(["notes", stage])],
            partition_key=None if stage in TASK_STAGES else MAY,
            instance=self.history,
        )
        assert done.success


STAGES = (*TASK_STAGES, *BATCH_STAGES)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A project that has not run yet."""
    with dg.DagsterInstance.ephemeral() as history:
        yield Workshop(build_project(tmp_path), history)


@pytest.fixture
def finished(workshop: Workshop) -> Workshop:
    """A project whose batch was run once."""
    assert workshop.run().problem is None
    return workshop


def test_a_first_run_asks_and_a_second_does_not(finished: Workshop):
    """The first run sends a call for every row; the second reuses every answer and gives the same versions."""
    assert finished.read_metadata("llm_outputs")["calls_sent"] == 6
    versions = finished.read_versions()
    assert finished.run().problem is None
    metadata = finished.read_metadata("llm_outputs")
    assert (metadata["calls_sent"], metadata["calls_reused"]) == (0, 6)
    assert finished.read_versions() == versions
    assert [plan.n_to_run for plan in finished.observer.plans] == [6, 0]


def test_schema_stages_run_only_where_they_must(finished: Workshop):
    """They are about no batch: an unchanged schema is not materialized again, a changed module is."""
    finished.run()
    assert [finished.count_materializations(stage) for stage in TASK_STAGES] == [1, 1]
    finished.tiny.edit("configs/schemas/notes.py", "le=10", "le=20")
    assert finished.run().problem is None
    assert [finished.count_materializations(stage) for stage in TASK_STAGES] == [2, 2]
    assert finished.read_metadata("llm_outputs")["calls_sent"] == 6


def test_a_finished_batch_is_fresh(finished: Workshop):
    """After a run nothing is stale, also by Dagster's own account."""
    assert finished.list_stale() == set()


def test_the_input_is_known_by_its_content(finished: Workshop):
    """The file's hash is its version: reported once, again after a change, and never for the same content."""
    key = dg.AssetKey(["notes", "input_file"])
    finished.run()
    assert len(finished.history.fetch_observations(key, limit=10).records) == 1
    finished.tiny.edit(TABLE, "hums", "roars")
    finished.run()
    records = finished.history.fetch_observations(key, limit=10).records
    versions = [
        (r.asset_observation.tags or {})[DATA_VERSION] for r in records if r.asset_observation
    ]
    assert len(set(versions)) == 2
    assert finished.read_metadata("llm_outputs")["calls_sent"] == 1


def test_the_same_content_again_keeps_what_comes_after_it_fresh(finished: Workshop):
    """Items that are made again and are the same make no output stale."""
    before = finished.read_tags("work_items")
    finished.materialize("work_items")
    assert finished.count_materializations("work_items") == 2
    assert finished.read_tags("work_items")[DATA_VERSION] == before[DATA_VERSION]
    assert finished.list_stale() == set()


def test_outputs_that_were_asked_anew_and_are_the_same_change_nothing(finished: Workshop):
    """A version of outputs is of what was answered, not of when and for how much."""
    versions = finished.read_versions()
    assert finished.run(RunChoice(limit=None, is_forced=True)).problem is None
    assert finished.read_metadata("llm_outputs")["calls_sent"] == 6
    assert finished.read_versions()["llm_outputs"] == versions["llm_outputs"]
    assert finished.list_stale() == set()


def test_a_change_makes_stale_what_uses_it(finished: Workshop):
    """Dagster marks the stages that read what changed, one step back, and no other; undone, all is fresh again."""
    changes = (
        ("prompts/notes.yaml", "You sort", "You file", {"llm_outputs"}),
        (CONFIG, "samples: 3", "samples: 4", {"report"}),
        (CONFIG, "model: extractive", "model: echo", {"llm_outputs", "report"}),
        (CONFIG, "max_in_flight: 4", "max_in_flight: 5", {"report"}),
    )
    for path, old, new, stale in changes:
        finished.tiny.edit(path, old, new)
        assert finished.list_stale() == stale
        finished.tiny.edit(path, new, old)
    assert finished.list_stale() == set()


def test_a_choice_reaches_the_run(workshop: Workshop):
    """A limit holds for one run; the next one goes on."""
    assert workshop.run(RunChoice(limit=2, is_forced=False)).problem is None
    metadata = workshop.read_metadata("llm_outputs")
    assert (metadata["calls_sent"], metadata["items_skipped"]) == (2, 4)
    workshop.run()
    assert workshop.read_metadata("llm_outputs")["calls_sent"] == 4


@pytest.mark.parametrize(
    ("path", "old", "new", "exit_code", "words"),
    [
        (TABLE, "lovely.,b", "lovely.,b,c", 2, "data/notes/may.csv, line 3"),
        (CONFIG, "model: extractive", "model: extractiv", 3, "extractiv"),
        ("configs/schemas/notes.py", "LLMOutput", "Output", 2, "LLMOutput"),
        ("prompts/notes.yaml", "row_block", "rowblock", 2, "prompts/notes.yaml"),
    ],
)
def test_a_mistake_ends_a_run_with_its_sentence(workshop, path, old, new, exit_code, words):
    """What stopped the run is told in plain words with the exit code of its kind, and no stack trace."""
    workshop.tiny.edit(path, old, new)
    end = workshop.run()
    assert end.exit_code == exit_code
    assert words in (end.problem or "")
    assert "Traceback" not in (end.problem or "")


def test_a_run_goes_on_after_a_mistake_is_mended(finished: Workshop):
    """Nothing of a stopped run stands in the way of the next one."""
    finished.tiny.edit(TABLE, "lovely.,b", "lovely.,b,c")
    assert finished.run().exit_code == 2
    finished.tiny.edit(TABLE, "lovely.,b,c", "lovely.,b")
    assert finished.run().problem is None
    assert finished.read_metadata("llm_outputs")["calls_sent"] == 0
