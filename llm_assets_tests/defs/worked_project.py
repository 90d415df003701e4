"""A project that people work in: its history, what a refresh makes of it, and what a clean build would."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.staleness import Cell, StageStatus
from llm_assets.core.status_text import render_reason
from llm_assets.core.task_status import TaskStatus
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.run_ends import FINE, RunEnd
from llm_assets.defs.runs import TaskRunner
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import StageHistory
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.defs.changing_project import count_calls

TASKS = ("notes", "brief")
"""In the order in which they have to be refreshed: the second one is compared with the first."""
ALL = RunChoice(limit=None, is_forced=False)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
TELLING = ("report", "comparison", "overview")
"""Stages that tell of costs and of how values were made, and so differ where the same values were made otherwise."""
VARIABLE_COLUMNS = ("cost_usd", "attempts")
"""Of an export: an answer that was fetched again and is the same leaves the export as it is."""

Made = tuple[int, str, str, str | None]
"""The number of an event, and the task, stage and batch that it tells of."""


@dataclass(frozen=True, slots=True)
class WorkedProject:
    """A folder and a history."""

    root: Path
    history: dg.DagsterInstance

    @property
    def project(self) -> Project:
        return Project(root=self.root, environ={})

    def build_scope(self, task: str) -> TaskScope:
        return build_scope(self.project, load_task(self.project, task), observers=())

    def open_runner(self, task: str) -> TaskRunner:
        """A runner of which the history knows all files."""
        scope = self.build_scope(task)
        runner = TaskRunner(scope, self.history, process="test")
        runner.register(list_batches(scope.task, scope.project))
        return runner

    def read_status(self, task: str) -> TaskStatus:
        return TaskRunner(self.build_scope(task), self.history, process="test").read_status()

    def list_unfresh(self, task: str) -> dict[Cell, StageStatus]:
        """The stages that a refresh has to look at."""
        status = self.read_status(task)
        stages = {(name, None): found for name, found in status.shared.items()}
        for each in status.batches:
            if each.has_file:
                stages |= {(name, each.batch): found for name, found in each.stages.items()}
        return {cell: found for cell, found in stages.items() if found.state != "fresh"}

    def refresh(self, task: str) -> list[str]:
        """What `llm-assets run TASK --stale` does; what stopped it."""
        runner = self.open_runner(task)
        end = runner.ensure_schema()
        if end.problem is not None:
            return [end.problem]
        status = runner.read_status()
        due = [each.batch for each in status.batches if each.is_due]
        ends = [runner.refresh_batch(batch) for batch in due]
        runner.refresh_overview(None if due else status)
        return [end.problem for end in ends if end.problem is not None]

    def run(self, task: str, batch: str, choice: RunChoice = ALL) -> RunEnd:
        """What `llm-assets run TASK --batch BATCH` does."""
        runner = self.open_runner(task)
        end = runner.ensure_schema()
        return runner.run_batch(BatchKey(batch), choice) if end == FINE or not end.problem else end

    def materialize(self, task: str, stages: Sequence[str], batch: str) -> bool:
        """Make some stages of a batch alone, as the button of the UI does; whether it went well."""
        self.open_runner(task)
        tasks = [load_task(self.project, task)]
        definitions = build_definitions(self.project, tasks, observers=())
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey([task, stage]) for stage in stages],
            partition_key=batch,
            instance=self.history,
            raise_on_error=False,
            run_config=QUIET,
        )
        return done.success

    def list_made(self) -> list[Made]:
        """Everything that was ever made or put away, in that order."""
        return sorted(
            (record.storage_id, key.path[0], key.path[-1], record.partition_key)
            for key in self.history.get_asset_keys()
            for record in self.history.fetch_materializations(key, limit=1000).records
        )

    def read_versions(self, task: str) -> dict[Cell, str]:
        """The version of every stage whose content says nothing of how it was made."""
        scope = self.build_scope(task)
        batches = [batch.key for batch in list_batches(scope.task, scope.project)]
        graph = build_task_graph(scope)
        made = StageHistory(scope=scope, instance=self.history, graph=graph).read_made(batches)
        return {cell: each.data_version for cell, each in made.items() if cell[0] not in TELLING}

    def read_exports(self, task: str) -> dict[str, list[list[str]]]:
        """The cells of every csv export of a table that is there."""
        scope = self.build_scope(task)
        keys = [batch.key for batch in list_batches(scope.task, scope.project)]
        folder = self.project.exports / task
        return {key: list(_read_cells(folder / f"{key}.csv")) for key in keys}

    def read_shared(self, task: str) -> dict[str, object]:
        """What all batches read."""
        folder = self.root / "data" / "artifacts" / task
        names = ("schema.json", "schema_text.json")
        return {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in names}

    def count_calls(self) -> int:
        return count_calls(self.root)


def render_cells(cells: dict[Cell, StageStatus]) -> dict[str, str]:
    """How stages stand, for the message of a test that failed."""
    return {
        f"{stage} of {batch}": f"{found.state}: {'; '.join(map(render_reason, found.reasons))}"
        for (stage, batch), found in cells.items()
    }


def _read_cells(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    kept = [at for at, name in enumerate(header) if name not in VARIABLE_COLUMNS]
    for row in [header, *rows]:
        yield [row[at] for at in kept]
