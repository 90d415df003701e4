"""A gated project with its history on disk, and everything that can happen to it without the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from llm_assets.config.overrides import parse_assignment
from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.staleness import StageStatus
from llm_assets.core.status_text import render_reason
from llm_assets.core.task_status import TaskStatus
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.run_ends import RunEnd
from llm_assets.defs.runs import TaskRunner
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.reviewing import TakenReview
from llm_assets.gateways.reviews import take_review
from llm_assets.gateways.tasks import load_task, override_task
from llm_assets_tests.end_to_end.gated_project import Edits, fill_review
from llm_assets_tests.end_to_end.scripted_model import ScriptedModel
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.fakes import FakeClock

MAY = BatchKey("may")
ALL = RunChoice(limit=None, is_forced=False)


@dataclass(frozen=True, slots=True)
class ReviewedShop:
    """The project, its history and the model that it asks."""

    tiny: TinyProject
    history: dg.DagsterInstance
    model: ScriptedModel

    @property
    def project(self) -> Project:
        return Project(root=self.tiny.root, environ={})

    def build_scope(self, *sets: str) -> TaskScope:
        task = load_task(self.project, "notes")
        task = override_task(task, self.project, [parse_assignment(text) for text in sets])
        return build_scope(self.project, task, observers=())

    def open_runner(self, *sets: str) -> TaskRunner:
        scope = self.build_scope(*sets)
        runner = TaskRunner(scope, self.history, process="test")
        runner.register(list_batches(scope.task, scope.project))
        assert runner.ensure_schema().problem is None
        return runner

    def run(self, *sets: str, choice: RunChoice = ALL, batch: BatchKey = MAY) -> RunEnd:
        """What `llm-assets run --set …` does."""
        end = self.open_runner(*sets).run_batch(batch, choice)
        assert end.problem is None, end.problem
        return end

    def run_blocked(self) -> RunEnd:
        """The same where a check stops it."""
        end = self.open_runner().run_batch(MAY, ALL)
        assert end.problem is not None
        return end

    def refresh(self, batch: BatchKey = MAY) -> tuple[str, ...]:
        """What `llm-assets run --stale` does; the stages it made."""
        end = self.open_runner().refresh_batch(batch)
        assert end.problem is None, end.problem
        return end.stages

    def build(self) -> dg.Definitions:
        return build_definitions(self.project, [self.build_scope().task], observers=())

    def materialize(
        self, stages: Sequence[str], *, at_least: float | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run some stages alone, as the button of the UI does, with this option in the launchpad."""
        job = self.build().resolve_implicit_global_asset_job_def()
        options = {"ops": {"notes__gate": {"config": {"at_least": at_least}}}}
        return job.execute_in_process(
            asset_selection=[dg.AssetKey(["notes", stage]) for stage in stages],
            partition_key=MAY,
            instance=self.history,
            run_config={} if at_least is None else options,
        )

    def decide(self, edits: Edits, *, batch: str = "may") -> TakenReview:
        """Let a person fill in the batch's workbook, and take it in, without making anything of it."""
        path = fill_review(self.tiny, edits, to="filled.xlsx", batch=batch)
        task = load_task(self.project, "notes")
        return take_review(task, self.project, path, clock=FakeClock())

    def read_status(self) -> TaskStatus:
        return self.open_runner().read_status()

    def list_stale(self, batch: str = "may") -> dict[str, tuple[str, ...]]:
        """Every stage of a batch that is not fresh, and why."""
        (status,) = [each for each in self.read_status().batches if each.batch == batch]
        return {
            stage: tuple(render_reason(reason) for reason in each.reasons)
            for stage, each in status.stages.items()
            if each.state != "fresh" and is_told(each)
        }

    def count_asked(self) -> int:
        """Requests that the model has got from all runs."""
        return len(self.model.asked)

    def find_event(self, stage: str, batch: str = "may") -> dg.AssetMaterialization:
        """The latest materialization of a stage for a batch."""
        key = dg.AssetKey(["notes", stage])
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[batch])
        (record,) = self.history.fetch_materializations(wanted, limit=1).records
        assert record.asset_materialization is not None
        return record.asset_materialization

    def read_metadata(self, stage: str, batch: str = "may") -> dict[str, object]:
        found = self.find_event(stage, batch).metadata
        return {name: value.value for name, value in found.items()}

    def read_version(self, stage: str, batch: str = "may") -> str:
        return (self.find_event(stage, batch).tags or {})["dagster/data_version"]

    def read_log(self) -> list[str]:
        """What the newest run put down."""
        run = self.history.get_runs(limit=1)[0]
        return [entry.user_message for entry in self.history.all_logs(run.run_id)]


def is_told(status: StageStatus) -> bool:
    """Whether a stage is stale itself, and not only behind one that is."""
    return status.state != "will_be_stale"
