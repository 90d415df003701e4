"""Which stages run together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from llm_assets.core.stage_graph import StageGraph
from llm_assets.defs.scope import TaskScope

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition,
    )

    TaskJobs = Sequence[UnresolvedAssetJobDefinition]
else:
    TaskJobs = Sequence
"""Jobs that Dagster has not bound to their assets yet; their type has no public name."""


def name_schema_job_of(task: str) -> str:
    """As `name_schema_job`, where no more than a task's name is known."""
    return f"{task}_schema"


def name_batch_job_of(task: str) -> str:
    """As `name_batch_job`, where no more than a task's name is known."""
    return f"{task}_batch"


def name_schema_job(scope: TaskScope) -> str:
    """The job that makes what all batches read."""
    return name_schema_job_of(scope.task.name)


def name_batch_job(scope: TaskScope) -> str:
    """The job that runs a batch."""
    return name_batch_job_of(scope.task.name)


def name_overview_job(scope: TaskScope) -> str:
    """The job that looks at all batches."""
    return f"{scope.task.name}_overview"


def list_stages_by_job(scope: TaskScope, graph: StageGraph) -> Mapping[str, Sequence[str]]:
    """The stages of each of the task's jobs."""
    about_batches = [node.name for node in graph.shared if graph.is_about_batches(node)]
    return {
        name_schema_job(scope): [
            node.name for node in graph.shared if node.name not in about_batches
        ],
        name_batch_job(scope): [node.name for node in graph.batched],
        name_overview_job(scope): about_batches,
    }


def build_jobs(scope: TaskScope, graph: StageGraph) -> TaskJobs:
    """A job for what comes before the batches, for one batch, and for what comes after all of them.

    What batches share is in no batch's run: runs side by side would write the same file.
    """
    descriptions = {
        name_schema_job(scope): "Brings the schema and its text up to date.",
        name_batch_job(
            scope
        ): "Runs one batch from its input file to its report. A task that never ran needs its "
        f"job `{name_schema_job(scope)}` first, once: batches share the schema.",
        name_overview_job(scope): "Shows how all batches stand.",
    }
    return [
        dg.define_asset_job(
            name=job,
            selection=dg.AssetSelection.assets(*(scope.build_key(stage) for stage in stages)),
            description=descriptions[job],
            executor_def=dg.in_process_executor,
            tags=scope.tags,
        )
        for job, stages in list_stages_by_job(scope, graph).items()
    ]
