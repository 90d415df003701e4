import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.stage_checks import STAGE_CHECKS
from llm_assets.defs.assets import llm_outputs as llm_outputs_asset
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.publishing import BLOCKED_KEY
from llm_assets.defs.runs import RunEnd, TaskRunner
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.generation import generate_outputs
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project

MAY, JUNE = BatchKey("may"), BatchKey("june")
CONFIG, SCHEMA, TABLE = "configs/notes.yaml", "configs/schemas/notes.py", "data/notes/may.csv"
CHECKED_STAGES = ("work_items", "llm_outputs", "export")
"""Those of a task that expects nothing."""
ALL_CHECKS = {(stage, name) for stage in CHECKED_STAGES for name in STAGE_CHECKS[stage]}
TWICE = (*NOTES, ("7", "doors", NOTES[5][2], "g"))
FAILING = "failed_items: {{max_share: 0, severity: error, blocking: {}}}"


def is_fine(end: RunEnd) -> bool:
    return (end.problem, end.exit_code, end.failed_checks) == (None, 0, ())


@dataclass(frozen=True, slots=True)
class Workshop:
    """A tiny project with a Dagster history of its own, in memory."""

    tiny: TinyProject
    history: dg.DagsterInstance

    def set_checks(self, text: str) -> None:
        """Put these rules in place of the ones before."""
        config = self.tiny.read(CONFIG).split("checks:\n")[0]
        self.tiny.write(CONFIG, f"{config}checks:\n  {text}\n")

    def run(self, batch: BatchKey = MAY) -> RunEnd:
        project = Project(root=self.tiny.root, environ={})
        task = load_task(project, "notes")
        runner = TaskRunner(build_scope(project, task, observers=()), self.history, process="test")
        runner.register(list_batches(task, project))
        end = runner.ensure_schema()
        return (
            end if end.problem else runner.run_batch(batch, RunChoice(limit=None, is_forced=False))
        )

    def build(self) -> dg.Definitions:
        project = Project(root=self.tiny.root, environ={})
        return build_definitions(project, [load_task(project, "notes")], observers=())

    def materialize(self, stage: str, batch: BatchKey | None = MAY) -> dg.ExecuteInProcessResult:
        """Run one stage alone, as the button of the UI does."""
        return (
            self.build()
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                asset_selection=[dg.AssetKey(["notes", stage])],
                partition_key=batch,
                instance=self.history,
                raise_on_error=False,
            )
        )

    def read_metadata(self, stage: str, batch: BatchKey = MAY) -> dict[str, object]:
        """Of the latest materialization; nothing where there is none."""
        wanted = dg.AssetRecordsFilter(
            asset_key=dg.AssetKey(["notes", stage]), asset_partitions=[batch]
        )
        records = self.history.fetch_materializations(wanted, limit=1).records
        made = records[0].asset_materialization if records else None
        return {name: value.value for name, value in made.metadata.items()} if made else {}

    def read_checks(self, batch: BatchKey = MAY) -> dict[tuple[str, str], tuple[bool, str]]:
        """Which checks of the batch passed in its latest run, and with which severity."""
        (run,) = self.history.get_runs(dg.RunsFilter(tags={"dagster/partition": batch}), limit=1)
        logs = self.history.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        events = [log.dagster_event for log in logs]
        found = [event.asset_check_evaluation_data for event in events if event]
        assert {check.partition for check in found} <= {batch}
        return {
            (check.asset_key.path[-1], check.check_name): (check.passed, check.severity.value)
            for check in found
        }


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A project that has not run yet."""
    with dg.DagsterInstance.ephemeral() as history:
        yield Workshop(build_project(tmp_path), history)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Workshop]:
    """A project some of whose items fail, and are not asked again."""
    with dg.DagsterInstance.ephemeral() as history:
        tiny = build_project(tmp_path, model="flaky")
        tiny.edit(CONFIG, "attempts: 3", "attempts: 1\n  retry_failed: false")
        yield Workshop(tiny, history)


def test_a_sound_batch_passes_every_check(workshop: Workshop):
    """Each check of each stage is evaluated in the run that makes the stage, and says so with numbers."""
    assert is_fine(workshop.run())
    found = workshop.read_checks()
    assert found.keys() == ALL_CHECKS
    assert {is_passed for is_passed, _ in found.values()} == {True}
    assert not [stage for stage in CHECKED_STAGES if BLOCKED_KEY in workshop.read_metadata(stage)]


def test_a_warning_is_told_and_stops_nothing(workshop: Workshop):
    """The run goes to its end with exit code 0, and the check that failed is handed on in words."""
    workshop.tiny.write_table(TABLE, TWICE)
    end = workshop.run()
    assert (end.problem, end.exit_code) == (None, 0)
    (check,) = end.failed_checks
    assert (check.stage, check.name, check.severity) == ("work_items", "duplicates", "warn")
    assert "1 of 7 items show the model exactly the same" in check.sentence
    assert "line 8 of data/notes/may.csv" in check.sentence
    assert workshop.read_checks()["work_items", "duplicates"] == (False, "WARN")
    assert workshop.read_metadata("report")


def test_an_error_that_blocks_nothing_ends_with_1(failing: Workshop):
    """Everything is made, and the end says that a check failed."""
    failing.set_checks(FAILING.format("false"))
    end = failing.run()
    assert (end.problem, end.exit_code) == (None, 1)
    assert [(check.name, check.severity) for check in end.failed_checks] == [
        ("failed_items", "error")
    ]
    assert failing.read_checks()["llm_outputs", "failed_items"] == (False, "ERROR")
    assert failing.read_metadata("report")
    assert BLOCKED_KEY not in failing.read_metadata("llm_outputs")


def test_a_blocking_check_keeps_later_stages_from_being_made(failing: Workshop):
    """The value is on record with what blocks it, nothing after it runs, and the end tells the sentence plainly."""
    failing.set_checks(FAILING.format("true"))
    end = failing.run()
    assert end.exit_code == 1
    assert end.problem is not None
    assert end.problem.startswith("The batch stopped at the check failed_items of llm_outputs: ")
    assert "items have no accepted output" in end.problem
    assert "Traceback" not in end.problem
    blocked_by = str(failing.read_metadata("llm_outputs")[BLOCKED_KEY])
    assert blocked_by.startswith("failed_items: ")
    assert blocked_by.removeprefix("failed_items: ") in end.problem
    assert (failing.read_metadata("export"), failing.read_metadata("report")) == ({}, {})


def test_a_changed_rule_is_judged_by_when_the_batch_runs_again(failing: Workshop):
    """No call is sent for it, and what was blocked goes on."""
    failing.set_checks(FAILING.format("true"))
    failing.run()
    failing.set_checks("failed_items: {max_share: 1, severity: error, blocking: true}")
    assert is_fine(failing.run())
    metadata = failing.read_metadata("llm_outputs")
    assert metadata["calls_sent"] == 0
    assert BLOCKED_KEY not in metadata
    assert failing.read_metadata("report")


def test_a_changed_rule_makes_nothing_stale(workshop: Workshop):
    """No asset's code version knows the rules, and the report does not show them."""

    def read_code_versions() -> dict[str, str | None]:
        graph = workshop.build().resolve_asset_graph()
        keys = graph.materializable_asset_keys
        return {key.to_user_string(): graph.get(key).code_version for key in keys}

    before = read_code_versions()
    workshop.set_checks("duplicates: {max_share: 0.5, severity: error}")
    assert read_code_versions() == before
    workshop.run()
    assert "max_share" not in workshop.tiny.read("data/reports/notes/may.md")


@pytest.mark.parametrize("stage", CHECKED_STAGES)
def test_checks_can_be_switched_off(workshop: Workshop, stage: str):
    """A check that is off is not there, also where its stage has no other one; the stage is made as ever."""
    names = STAGE_CHECKS[stage]
    workshop.set_checks("\n  ".join(f"{name}: {{enabled: false}}" for name in names))
    assert is_fine(workshop.run())
    assert workshop.read_checks().keys() == {
        (other, name) for other, name in ALL_CHECKS if name not in names
    }
    assert workshop.read_metadata("report")


def test_each_batch_has_results_of_its_own(workshop: Workshop):
    """One batch fails and the other passes; Dagster keeps both apart."""
    workshop.tiny.write_table("data/notes/june.csv", TWICE)
    assert [workshop.run(batch).exit_code for batch in (JUNE, MAY)] == [0, 0]
    found = {batch: workshop.read_checks(batch) for batch in (MAY, JUNE)}
    assert found[MAY]["work_items", "duplicates"] == (True, "WARN")
    assert found[JUNE]["work_items", "duplicates"] == (False, "WARN")
    graph = workshop.build().resolve_asset_graph()
    own = [
        graph.get(key) for key in graph.asset_check_keys if key.asset_key.path[-1] in STAGE_CHECKS
    ]
    assert {check.partitions_def for check in own} == {
        dg.DynamicPartitionsDefinition(name="notes_batches")
    }


def test_outputs_of_another_schema_are_blocked_at_the_export(workshop: Workshop):
    """An export made alone after the schema has changed says that old outputs are not valid under it."""
    assert is_fine(workshop.run())
    workshop.tiny.edit(SCHEMA, '"good", "bad"', '"fair", "foul"')
    assert workshop.materialize("schema", None).success
    done = workshop.materialize("export")
    assert not done.success
    assert workshop.read_checks()["export", "valid_outputs"] == (False, "ERROR")
    blocked_by = str(workshop.read_metadata("export")[BLOCKED_KEY])
    assert "0 of 6 accepted outputs are valid under the schema module." in blocked_by
    assert "answers line 2 of data/notes/may.csv: `mood`: Input should be 'fair' or 'foul'" in (
        blocked_by
    )


def test_a_lost_record_is_blocked_where_it_is_lost(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
):
    """Outputs with fewer records than there are items reach no export."""

    def lose_one(*args, **kwargs):
        generation = generate_outputs(*args, **kwargs)
        kept = generation.outputs.records[:-1]
        return replace(generation, outputs=replace(generation.outputs, records=kept))

    monkeypatch.setattr(llm_outputs_asset, "generate_outputs", lose_one)
    end = workshop.run()
    assert end.exit_code == 1
    assert end.problem == (
        "The batch stopped at the check rows_complete of llm_outputs: 1 of 6 items without a record."
    )
    assert workshop.read_metadata("export") == {}


def test_checks_come_with_their_stage(workshop: Workshop):
    """A stage that is materialized alone is checked, and no other stage is."""
    assert is_fine(workshop.run())
    assert workshop.materialize("work_items").success
    assert workshop.read_checks() == {("work_items", "duplicates"): (True, "WARN")}


def test_nobody_is_warned_of_a_preview(workshop: Workshop):
    """Loading and running says nothing of what Dagster still tries out."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", dg.PreviewWarning)
        dg.Definitions.validate_loadable(workshop.build())
        assert is_fine(workshop.run())
