import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.automation import build_version_condition
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.registering import register_batches
from llm_assets.defs.runs import TaskRunner
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project

MAY = BatchKey("may")

PARTS = dg.DynamicPartitionsDefinition(name="parts")


@dataclass
class Lab:
    """Two stages, the second reading the first, and the condition on the second."""

    history: dg.DagsterInstance
    source_version: str = "v1"
    code_version: str = "c1"
    is_sound: bool = True
    cursor: object = None

    def build(self) -> dg.Definitions:
        version = self.source_version

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.PreviewWarning)  # of partitions of a check
            check = dg.AssetCheckSpec("sound", asset="source", blocking=True, partitions_def=PARTS)

        @dg.asset(partitions_def=PARTS, check_specs=[check])
        def source() -> dg.MaterializeResult:
            found = dg.AssetCheckResult(check_name="sound", passed=self.is_sound)
            return dg.MaterializeResult(data_version=dg.DataVersion(version), check_results=[found])

        @dg.asset(
            partitions_def=PARTS,
            deps=["source"],
            code_version=self.code_version,
            automation_condition=build_version_condition([]),
        )
        def reader() -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion(version))

        return dg.Definitions(assets=[source, reader])

    def make(self, stage: str, part: str) -> None:
        job = self.build().resolve_implicit_global_asset_job_def()
        job.execute_in_process(
            asset_selection=[dg.AssetKey(stage)],
            partition_key=part,
            instance=self.history,
            raise_on_error=False,
        )

    def tick(self) -> set[str]:
        """The batches that the condition asks for now."""
        found = dg.evaluate_automation_conditions(
            defs=self.build(),
            instance=self.history,
            cursor=self.cursor,  # pyright: ignore[reportArgumentType] -- what it gave
        )
        self.cursor = found.cursor
        return {str(key) for key in found.get_requested_partitions(dg.AssetKey("reader"))}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Batches `a` and `b`, both made, and one look at them."""
    with dg.DagsterInstance.ephemeral() as history:
        found = Lab(history)
        history.add_dynamic_partitions("parts", ["a", "b"])
        for part in ("a", "b"):
            found.make("source", part)
            found.make("reader", part)
        found.tick()
        yield found


def test_nothing_is_asked_for_where_nothing_changed(lab: Lab):
    """Looking again asks for nothing."""
    assert lab.tick() == set()


def test_the_same_content_again_asks_for_nothing(lab: Lab):
    """A stage that was made again and came out the same is no reason to pay."""
    lab.make("source", "a")
    assert lab.tick() == set()


def test_a_new_version_asks_for_its_batch_once(lab: Lab):
    """The batch whose source has a new version is asked for, no other one, and not again."""
    lab.source_version = "v2"
    lab.make("source", "a")
    assert lab.tick() == {"a"}
    lab.make("reader", "a")
    assert lab.tick() == set()


def test_new_settings_ask_for_every_batch_that_was_made(lab: Lab):
    """Other settings concern all batches; one that was never made is not begun by them."""
    lab.history.add_dynamic_partitions("parts", ["c"])
    lab.make("source", "c")
    lab.tick()
    lab.code_version = "c2"
    assert lab.tick() >= {"a", "b"}


def test_a_batch_that_arrives_is_asked_for(lab: Lab):
    """A new batch runs once what it reads is there."""
    lab.history.add_dynamic_partitions("parts", ["c"])
    assert lab.tick() == set()
    lab.make("source", "c")
    assert lab.tick() == {"c"}


def test_what_a_check_blocks_is_not_asked_for(lab: Lab):
    """A batch whose source did not pass waits until it does; no other one waits with it."""
    lab.source_version, lab.is_sound = "v2", False
    lab.make("source", "a")
    lab.is_sound = True
    lab.make("source", "b")
    assert lab.tick() == {"b"}
    lab.make("reader", "b")
    lab.source_version = "v3"
    lab.make("source", "a")
    assert lab.tick() == {"a"}


@dataclass
class Desk:
    """A whole task that keeps itself fresh, with everything made, and what its sensor would ask for."""

    tiny: TinyProject
    history: dg.DagsterInstance
    cursor: object = None

    @property
    def scope(self) -> TaskScope:
        project = Project(root=self.tiny.root, environ={})
        return build_scope(project, load_task(project, "notes"), observers=())

    def make_all(self) -> None:
        runner = TaskRunner(self.scope, self.history, process="test")
        self.register()
        assert runner.ensure_schema().problem is None
        choice = RunChoice(limit=None, is_forced=False)
        assert runner.run_batch(MAY, choice).problem is None

    def register(self) -> None:
        scope = self.scope
        register_batches(scope, self.history, list_batches(scope.task, scope.project))

    def tick(self) -> set[str]:
        """The stages that the conditions ask for now."""
        scope = self.scope
        found = dg.evaluate_automation_conditions(
            defs=build_definitions(scope.project, [scope.task], observers=()),
            instance=self.history,
            cursor=self.cursor,  # pyright: ignore[reportArgumentType] -- what it gave
        )
        self.cursor = found.cursor
        return {
            node.name
            for node in build_task_graph(scope).nodes
            if found.get_num_requested(scope.build_key(node.name))
        }


def open_desk(tiny: TinyProject, history: dg.DagsterInstance) -> Desk:
    desk = Desk(tiny, history)
    desk.make_all()
    desk.tick()
    assert desk.tick() == set()
    return desk


def test_a_changed_prompt_asks_for_the_outputs(tmp_path: Path):
    """Files that have no versions of their own, such as the prompt's, keep nothing from being asked for."""
    with dg.DagsterInstance.ephemeral() as history:
        desk = open_desk(build_project(tmp_path), history)
        desk.tiny.edit("prompts/notes.yaml", "You sort", "Kindly sort")
        assert desk.tick() == {"llm_outputs"}


def test_a_changed_table_asks_for_its_snapshot(tmp_path: Path):
    """A new content of the file, once it is known, is read."""
    with dg.DagsterInstance.ephemeral() as history:
        desk = open_desk(build_project(tmp_path), history)
        desk.tiny.write_table("data/notes/may.csv", NOTES[:1])
        assert desk.tick() == set()
        desk.register()
        assert "input_snapshot" in desk.tick()


def test_a_gate_that_nobody_decided_on_yet_is_kept_fresh_too(tmp_path: Path):
    """The folder of reviews, of which nothing is known before the first one, holds nothing back."""
    with dg.DagsterInstance.ephemeral() as history:
        tiny = build_project(tmp_path)
        config = tiny.read("configs/notes.yaml")
        tiny.write("configs/notes.yaml", f"{config}gate: {{field: score, at_least: 2}}\n")
        desk = open_desk(tiny, history)
        tiny.edit("configs/notes.yaml", "at_least: 2", "at_least: 3")
        assert "gate" in desk.tick()
