"""How far each batch of a task is, by Dagster's history and the account of its latest run."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
from pydantic import JsonValue

from llm_assets.core.ids import BatchKey
from llm_assets.core.llm_outputs import Outcome
from llm_assets.core.run_summary import RunSummary
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import list_batch_stages
from llm_assets.gateways.artifacts import load_model
from llm_assets.gateways.batches import Batch
from llm_assets.gateways.generation import find_run_record


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """One batch."""

    batch: BatchKey
    stages_run: tuple[str, ...]
    stages_missing: tuple[str, ...]
    n_items: int
    outcomes: dict[Outcome, int]
    """Those that occurred."""

    def build_json(self) -> dict[str, JsonValue]:
        """The batch for scripts."""
        return {
            "batch": self.batch,
            "stages_run": list(self.stages_run),
            "stages_missing": list(self.stages_missing),
            "items": self.n_items,
            "outcomes": {str(name): count for name, count in self.outcomes.items()},
        }


def build_statuses(
    scope: TaskScope, history: dg.DagsterInstance, batches: Sequence[Batch]
) -> tuple[BatchStatus, ...]:
    """The batches in the order given."""
    stages = list_batch_stages(scope)
    materialized = {
        stage: history.get_materialized_partitions(scope.build_key(stage)) for stage in stages
    }
    return tuple(
        _build_status(
            scope,
            batch.key,
            stages_run=tuple(stage for stage in stages if batch.key in materialized[stage]),
            stages_missing=tuple(stage for stage in stages if batch.key not in materialized[stage]),
        )
        for batch in batches
    )


def _build_status(
    scope: TaskScope,
    batch: BatchKey,
    *,
    stages_run: tuple[str, ...],
    stages_missing: tuple[str, ...],
) -> BatchStatus:
    summary = _load_summary(scope, batch)
    return BatchStatus(
        batch=batch,
        stages_run=stages_run,
        stages_missing=stages_missing,
        n_items=summary.n_items if summary else 0,
        outcomes={name: n for name, n in summary.outcomes.items() if n} if summary else {},
    )


def _load_summary(scope: TaskScope, batch: BatchKey) -> RunSummary | None:
    path = find_run_record(scope.task, scope.project, batch)
    return load_model(path, RunSummary, shown=path.name) if path.exists() else None
