"""What is true beyond the number of batches at which Dagster itself stops comparing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import Reason
from llm_assets.core.task_status import TaskStatus
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.defs.task_status import read_task_status
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

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
    archive.record("work_items", "b001", "2")
    (stale,) = archive.look().get_asset_check_evaluations()
    assert stale.passed is False
    assert stale.severity == dg.AssetCheckSeverity.WARN
    assert stale.description == "3 batches: 1 stale, 2 fresh"
    table = str(stale.metadata["batches"].value)
    assert "items has a new version" in table
