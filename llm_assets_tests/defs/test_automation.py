import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest

from llm_assets.defs.automation import build_version_condition

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
            automation_condition=build_version_condition(),
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
