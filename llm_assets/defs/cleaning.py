"""How stages of a task are put away, and how Dagster learns of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import dagster as dg

from llm_assets.core.cleaning import (
    Cleaning,
    build_cleaning,
    choose_cells,
    choose_files,
    list_folders,
)
from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import Cell
from llm_assets.defs.publishing import CLEANED_VERSION
from llm_assets.defs.registering import DATA_VERSION_TAG
from llm_assets.defs.run_history import RunHistory
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import StageHistory
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.defs.task_status import list_known_batches
from llm_assets.errors import StorageError
from llm_assets.gateways.archive import list_stored, put_away

ARCHIVE_KEY = "llm_assets/put_away_to"


@dataclass(frozen=True, kw_only=True)
class TaskCleaner:
    """Puts values of one task away: never the ledger, the tables or what a person wrote."""

    scope: TaskScope
    instance: dg.DagsterInstance
    graph: StageGraph

    def plan(self, first: str, batches: Sequence[str]) -> Cleaning:
        """What `clean` would put away; no batches named means all of them, and what they share.

        `InputError` for a stage or a batch that there is none of, `StorageError` where a run is at one of them.
        """
        name = self.scope.task.name
        known = list_known_batches(self.scope, self.instance, self.graph)
        cells = choose_cells(self.graph, name, first=first, named=batches, known=known)
        self._check_idle(cells)
        listing = list_stored(self.scope.project, list_folders(name, cells))
        keys = [batch for batch in known if not batches or batch in batches]
        history = StageHistory(scope=self.scope, instance=self.instance, graph=self.graph)
        return build_cleaning(
            name, choose_files(name, cells, listing), made=history.read_made(keys)
        )

    def clean(self, cleaning: Cleaning) -> tuple[str, ...]:
        """Move the files, then tell Dagster; the folders that hold them now.

        A second call after one that was stopped half-way finishes it. `StorageError` where a run has begun since the
        plan, which a person may have been looking at for long.
        """
        self._check_idle(cleaning.files)
        archives = put_away(
            (path for paths in cleaning.files.values() for path in paths),
            task=self.scope.task.name,
            project=self.scope.project,
            put_away_at=self.scope.clock.get_now(),
        )
        for (stage, batch), paths in cleaning.files.items():
            event = self._build_event(stage, batch, archives=archives, n_files=len(paths))
            self.instance.report_runless_asset_event(event)
        return archives

    def _check_idle(self, cells: Collection[Cell]) -> None:
        runs = RunHistory(scope=self.scope, instance=self.instance, graph=self.graph)
        chosen = {batch for _, batch in cells if batch is not None}
        for stage, batch in runs.read_running():
            if batch in chosen or (stage, batch) in cells:
                about = stage if batch is None else f"the batch {batch}"
                raise StorageError(
                    f"A run that makes {about} of {self.scope.task.name} is under way; nothing was put away.",
                    remedy="Wait for its end, or end it in the UI; `llm-assets doctor` ends one that was killed.",
                )

    def _build_event(
        self, stage: str, batch: BatchKey | None, *, archives: Sequence[str], n_files: int
    ) -> dg.AssetMaterialization:
        """The latest event of an asset is what Dagster's pages go by; it cannot forget a single partition."""
        where = {ARCHIVE_KEY: ", ".join(archives)} if n_files else {}
        return dg.AssetMaterialization(
            self.scope.build_key(stage),
            partition=batch,
            description="The value was put away by `llm-assets clean`; the next run makes it anew.",
            tags={DATA_VERSION_TAG: CLEANED_VERSION},
            metadata={**where, "n_files": n_files},
        )


def build_task_cleaner(scope: TaskScope, instance: dg.DagsterInstance) -> TaskCleaner:
    """A cleaner for the stages as they are defined now."""
    return TaskCleaner(scope=scope, instance=instance, graph=build_task_graph(scope))
