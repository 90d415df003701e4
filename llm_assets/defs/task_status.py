"""How a task stands, by Dagster's history and by the files that are there."""

from collections.abc import Collection, Sequence

import dagster as dg

from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import TaskFacts
from llm_assets.core.task_status import TaskStatus, build_task_status
from llm_assets.defs.compared_task import read_compared_versions
from llm_assets.defs.run_history import RunHistory
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import StageHistory, is_cleaned
from llm_assets.gateways.artifacts import pause_collection
from llm_assets.gateways.batches import hash_file, list_batches
from llm_assets.gateways.image_files import hash_images
from llm_assets.gateways.kept_values import list_kept
from llm_assets.gateways.review_stages import hash_corrections
from llm_assets.gateways.stored_stages import find_stored_batch
from llm_assets.gateways.text_files import fingerprint_file

SNAPSHOT = "input_snapshot"
"""The stage that names a batch's pictures."""


def read_task_status(
    scope: TaskScope,
    instance: dg.DagsterInstance,
    graph: StageGraph,
    *,
    batches: Sequence[BatchKey] | None = None,
) -> TaskStatus:
    """How these batches stand; where none are named, all that have a file or were ever made."""
    files = {batch.key: batch.path for batch in list_batches(scope.task, scope.project)}
    keys = tuple(batches) if batches is not None else _list_keys(scope, instance, graph, files)
    asked = None if batches is None else frozenset(keys)
    runs = RunHistory(scope=scope, instance=instance, graph=graph, batches=asked)
    # First, because a run that ends between the two looks has made what it was to make.
    running_since = runs.read_running()
    with pause_collection():
        latest = StageHistory(scope=scope, instance=instance, graph=graph).read_latest(keys)
    kept = list_kept(scope.task, scope.project, graph, keys)
    made = {cell: made for cell, made in latest.items() if cell in kept and not is_cleaned(made)}
    told_at_seconds = {cell: made.made_at_seconds for cell, made in latest.items()}
    facts = TaskFacts(
        made=made,
        told_at_seconds=told_at_seconds,
        failures=runs.read_failures(told_at_seconds),
        running_since=running_since,
        input_sha256={key: hash_file(files[key]) for key in keys if key in files},
        module_sha256=fingerprint_file(scope.task.schema_path),
        corrections_sha256=None
        if scope.task.settings.gate is None
        else hash_corrections(scope.task, scope.project),
        images_sha256=_hash_images(scope, [key for key in keys if (SNAPSHOT, key) in made]),
        compared_sha256=read_compared_versions(scope, instance, keys),
    )
    return build_task_status(scope.task.name, graph, facts, keys)


def _hash_images(scope: TaskScope, batches: Sequence[BatchKey]) -> dict[BatchKey, Sha256]:
    """What the pictures of each batch are now; nothing is read where the task has none."""
    if scope.task.settings.images is None:
        return {}
    task, project = scope.task, scope.project
    hashes = {
        batch: hash_images(
            task, find_stored_batch(task, project, batch).load(SNAPSHOT, InputSnapshot)
        )
        for batch in batches
    }
    return {batch: sha256 for batch, sha256 in hashes.items() if sha256 is not None}


def list_known_batches(
    scope: TaskScope, instance: dg.DagsterInstance, graph: StageGraph
) -> tuple[BatchKey, ...]:
    """Every batch that has a file or was ever made, sorted."""
    files = [batch.key for batch in list_batches(scope.task, scope.project)]
    return _list_keys(scope, instance, graph, files)


def _list_keys(
    scope: TaskScope, instance: dg.DagsterInstance, graph: StageGraph, files: Collection[BatchKey]
) -> tuple[BatchKey, ...]:
    first = graph.batched[0]
    known = instance.get_materialized_partitions(scope.build_key(first.name))
    return tuple(sorted({*files, *map(BatchKey, known)}))
