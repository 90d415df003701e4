"""What is true beyond the number of batches at which Dagster itself stops comparing."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.events import EngineEventData
from dagster._core.loader import LoadingContextForTest
from dagster._core.test_utils import create_run_for_test
from dagster_shared.error import SerializableErrorInfo

from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import Reason
from llm_assets.core.task_status import TaskStatus
from llm_assets.defs import run_history
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.read_events import find_place
from llm_assets.defs.run_history import PARTITION_TAG, RunHistory
from llm_assets.defs.runs import TaskRunner
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import MANY_EVENTS
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.defs.task_status import read_task_status
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project

ALL = RunChoice(limit=None, is_forced=False)
OVERVIEW = dg.AssetKey(["notes", "overview"])


@dataclass(frozen=True, slots=True)
class Archive:
    """A task with many batches, each as if it had been run."""

    scope: TaskScope
    graph: StageGraph
    history: dg.DagsterInstance
    batches: tuple[str, ...]

    def record_all(self) -> None:
        """Put down every stage of every batch with the versions of what it was made from."""
        self.history.add_dynamic_partitions("notes_batches", list(self.batches))
        for node in self.graph.shared:
            if not self.graph.is_about_batches(node):
                self.record(node.name, None, "1")
        for node in self.graph.batched:
            for batch in self.batches:
                self.record(node.name, batch, "1")

    def record(self, stage: str, batch: str | None, version: str) -> None:
        node = self.graph.find(stage)
        read = {
            name: fingerprint_text("1") if self.graph.find(name).is_batched else "1"
            for name in node.upstream
        }
        tags = {f"dagster/input_data_version/notes/{name}": value for name, value in read.items()}
        own = {"dagster/data_version": version, "dagster/code_version": node.code_version}
        key = self.scope.build_key(stage)
        event = dg.AssetMaterialization(key, partition=batch, tags={**tags, **own})
        self.history.report_runless_asset_event(event)
        place = Path(str(self.scope.project.artifacts)) / "notes" / (stage if batch else "")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{batch or stage}.json").touch()

    def list_stale(self) -> list[str]:
        """The batches that are not fresh."""
        return [each.batch for each in self.read_status().batches if each.state != "fresh"]

    def forge(self, place: Path, batch: str, values: dict[str, object]) -> None:
        """Write something else into what was kept of a batch's last event."""
        stage = dg.AssetKey(["notes", place.stem])
        records = self.history.fetch_materializations(
            dg.AssetRecordsFilter(stage, asset_partitions=[batch]), limit=1
        ).records
        kept = json.loads(place.read_bytes())
        kept["made"][str(records[0].storage_id)].update(values)
        place.write_text(json.dumps(kept), encoding="utf-8")

    def look(self) -> dg.ExecuteInProcessResult:
        """Make the overview, as its job does."""
        definitions = build_definitions(self.scope.project, [self.scope.task], observers=())
        job = definitions.resolve_job_def("notes_overview")
        done = job.execute_in_process(instance=self.history)
        assert done.success
        return done

    def read_status(self) -> TaskStatus:
        return read_task_status(self.scope, self.history, self.graph)

    def is_stale_by_dagster(self) -> bool:
        definitions = build_definitions(self.scope.project, [self.scope.task], observers=())
        graph = definitions.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(
            self.history, graph, LoadingContextForTest(self.history)
        )
        return resolver.get_status(OVERVIEW) == StaleStatus.STALE


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project without input files: all that there is was made long ago."""
    project = build_project(tmp_path)
    (project.root / "data" / "notes" / "may.csv").unlink()
    return project


@pytest.fixture
def history() -> Iterator[dg.DagsterInstance]:
    """A history in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def build_archive(tiny: TinyProject, history: dg.DagsterInstance, n_batches: int) -> Archive:
    project = Project(root=tiny.root, environ={})
    scope = build_scope(project, load_task(project, "notes"), observers=())
    batches = tuple(f"b{number:03}" for number in range(n_batches))
    archive = Archive(scope, build_task_graph(scope), history, batches)
    archive.record_all()
    archive.look()
    return archive


@pytest.mark.parametrize(("n_batches", "dagster_sees_it"), [(5, True), (101, False)])
def test_a_changed_batch_makes_the_overview_stale_however_many_there_are(
    tiny: TinyProject, history: dg.DagsterInstance, n_batches: int, *, dagster_sees_it: bool
):
    """One batch among many that has a new version is seen by us, also where Dagster gives up comparing."""
    archive = build_archive(tiny, history, n_batches)
    assert archive.read_status().shared["overview"].state == "fresh"
    archive.record("report", "b003", "2")
    found = archive.read_status().shared["overview"]
    assert found.state == "stale"
    assert found.reasons == (Reason(kind="batches", subject="overview"),)
    assert archive.is_stale_by_dagster() is dagster_sees_it


def test_the_state_of_every_batch_is_read_at_once(tiny: TinyProject, history: dg.DagsterInstance):
    """Each of many batches has its own state; the one whose stage has a new version is told apart."""
    archive = build_archive(tiny, history, 101)
    archive.record("work_items", "b050", "2")
    states = {batch.batch: batch.state for batch in archive.read_status().batches}
    assert len(states) == 101
    assert [batch for batch, state in states.items() if state != "fresh"] == ["b050"]


def test_the_check_of_the_overview_says_whether_all_is_fresh(
    tiny: TinyProject, history: dg.DagsterInstance
):
    """The check passes while nothing is to be made, and tells what is not fresh otherwise."""
    archive = build_archive(tiny, history, 3)
    (fresh,) = archive.look().get_asset_check_evaluations()
    assert (fresh.check_name, fresh.passed) == ("all_fresh", True)
    tiny.write_table("data/notes/b001.csv", NOTES[:1])  # what has no file is not waited for
    archive.record("work_items", "b001", "2")
    (stale,) = archive.look().get_asset_check_evaluations()
    assert stale.passed is False
    assert stale.severity == dg.AssetCheckSeverity.WARN
    assert stale.description == "3 batches: 1 stale, 2 fresh"
    table = str(stale.metadata["batches"].value)
    assert "items has a new version" in table


def test_events_that_were_read_before_are_not_read_again(
    tiny: TinyProject, history: dg.DagsterInstance
):
    """What many events say is kept beside the history, and only events that came later are read."""
    archive = build_archive(tiny, history, MANY_EVENTS)
    place = find_place(history, dg.AssetKey(["notes", "work_items"]))
    assert archive.list_stale() == []
    archive.forge(place, "b005", {"data_version": "2"})
    assert archive.list_stale() == ["b005"]
    archive.record("work_items", "b005", "1")
    archive.record("work_items", "b006", "2")
    assert archive.list_stale() == ["b006"]


def test_kept_events_of_another_history_are_not_believed(
    tiny: TinyProject, history: dg.DagsterInstance
):
    """Where the newest event that was kept is not the one that has its number, none of them counts."""
    archive = build_archive(tiny, history, MANY_EVENTS)
    place = find_place(history, dg.AssetKey(["notes", "work_items"]))
    assert archive.list_stale() == []
    archive.forge(place, "b005", {"data_version": "2"})
    archive.forge(place, archive.batches[-1], {"made_at_seconds": 1.0})
    assert archive.list_stale() == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"reader_sha256": "other", "made": {}}'])
def test_damaged_or_foreign_notes_of_events_are_made_anew(
    tiny: TinyProject, history: dg.DagsterInstance, content: str
):
    """A file that cannot be read, or that other code wrote, costs time and nothing else."""
    archive = build_archive(tiny, history, MANY_EVENTS)
    place = find_place(history, dg.AssetKey(["notes", "work_items"]))
    assert archive.list_stale() == []
    whole = place.read_bytes()
    place.write_text(content, encoding="utf-8")
    assert archive.list_stale() == []
    assert place.read_bytes() == whole


def test_what_cannot_be_kept_is_read_again(tiny: TinyProject, history: dg.DagsterInstance):
    """Where no folder can be made for what was read, every look reads it and tells the same."""
    archive = build_archive(tiny, history, MANY_EVENTS)
    place = find_place(history, dg.AssetKey(["notes", "work_items"]))
    shutil.rmtree(place.parent)
    place.parent.write_text("in the way", encoding="utf-8")
    archive.record("work_items", "b005", "2")
    assert archive.list_stale() == archive.list_stale() == ["b005"]
    assert place.parent.is_file()


def test_wiped_events_are_not_remembered(tiny: TinyProject, history: dg.DagsterInstance):
    """A stage whose events somebody wiped in the UI was never made."""
    archive = build_archive(tiny, history, MANY_EVENTS)
    assert archive.list_stale() == []
    history.wipe_assets([dg.AssetKey(["notes", "work_items"])])
    stages = [batch.stages["work_items"].state for batch in archive.read_status().batches]
    assert set(stages) <= {"missing"}


def test_only_runs_of_what_is_asked_for_are_looked_into(
    tiny: TinyProject, history: dg.DagsterInstance
):
    """A failed run of a batch is told to who asks for that batch, and to nobody else."""
    archive = build_archive(tiny, history, 3)
    key = archive.scope.build_key("work_items")
    run = create_run_for_test(
        history, asset_selection=frozenset({key}), tags={PARTITION_TAG: "b001"}
    )
    history.report_run_failed(run, "It was killed.")

    def read(*batches: str) -> set[str | None]:
        asked = frozenset(map(BatchKey, batches))
        runs = RunHistory(scope=archive.scope, instance=history, graph=archive.graph, batches=asked)
        return {batch for _, batch in runs.read_failures({})}

    assert read("b000", "b001") == read("b001") == {"b001"}
    assert read() == read("b000", "b002") == set()


def test_many_failures_are_told_each_at_its_step(
    tiny: TinyProject, history: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    """Beyond the runs that are read whole, it is still told which stage of a batch failed, and why."""
    tiny.write("data/notes/a.csv", "id;topic\n1;2\n")
    tiny.write("data/notes/b.csv", "id;topic\n1;2\n")
    archive = build_archive(tiny, history, 1)
    runner = TaskRunner(archive.scope, history, process="test")
    runner.register(list_batches(archive.scope.task, archive.scope.project))
    for batch in ("a", "b"):
        assert runner.run_batch(BatchKey(batch), ALL).problem is not None
    killed = create_run_for_test(history, job_name="notes_batch", tags={PARTITION_TAG: "c"})
    history.report_run_failed(killed, "It was killed.")
    runs = RunHistory(scope=archive.scope, instance=history, graph=archive.graph)
    whole = runs.read_failures({})
    assert set(whole) == {("work_items", "a"), ("work_items", "b"), ("input_snapshot", "c")}
    monkeypatch.setattr(run_history, "MAX_RUNS_READ", 1)
    told = runs.read_failures({})
    assert {cell: each.text for cell, each in told.items()} == {
        cell: each.text for cell, each in whole.items()
    }
    assert told != whole  # those of two were read from the ends of their runs


def test_a_run_that_could_not_begin_says_why(tiny: TinyProject, history: dg.DagsterInstance):
    """Where the definitions could not be loaded, the first mistake of all is told and not that the run failed."""
    archive = build_archive(tiny, history, 1)
    run = create_run_for_test(history, job_name="notes_batch", tags={PARTITION_TAG: "b000"})
    cause = SerializableErrorInfo("errors.ConfigError: Line 4 is wrong.\n", [], "ConfigError")
    error = SerializableErrorInfo("Could not load.", [], "LoadError", cause=cause)
    history.report_engine_event("No job.", run, EngineEventData.engine_error(error))
    history.report_run_failed(run, "Marked as failed from outside.")
    runs = RunHistory(scope=archive.scope, instance=history, graph=archive.graph)
    (failure,) = runs.read_failures({}).values()
    assert failure.text == "Line 4 is wrong."


@dataclass
class EndingRun:
    """A history in which a run ends right after somebody has looked at the first stage of a batch."""

    history: dg.DagsterInstance
    end: Callable[[], None]

    def __getattr__(self, name: str) -> object:
        return getattr(self.history, name)

    def get_latest_storage_id_by_partition(self, *args: Any) -> object:
        found = self.history.get_latest_storage_id_by_partition(*args)
        self.end()
        return found


def test_a_run_that_ends_meanwhile_leaves_nothing_to_be_made_again(
    tiny: TinyProject, history: dg.DagsterInstance
):
    """A batch of which half was read before the end and half after it counts as still being made."""
    archive = build_archive(tiny, history, 1)
    batch = BatchKey("b000")
    archive.record("input_snapshot", batch, "2")
    started = dg.DagsterRunStatus.STARTED
    run = create_run_for_test(
        history, job_name="notes_batch", status=started, tags={PARTITION_TAG: batch}
    )

    def end() -> None:
        archive.record("input_snapshot", batch, "1")
        history.delete_run(run.run_id)

    racing: Any = EndingRun(history, end)
    (found,) = read_task_status(archive.scope, racing, archive.graph, batches=[batch]).batches
    assert found.state == "running"
    assert archive.list_stale() == []
