"""What does the graph know of the task that another one is compared with?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import dagster as dg

from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph, StageNode
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.stage_history import StageHistory
from llm_assets.gateways.tasks import Task, load_task


def find_compared_scope(scope: TaskScope) -> TaskScope | None:
    """The task that `compare` names; None where the task is compared with none."""
    compare = scope.task.settings.compare
    if compare is None:
        return None
    return replace(scope, task=load_task(scope.project, compare.with_))


def list_compared_stages(task: Task) -> tuple[str, ...]:
    """The stages of a task that a comparison reads."""
    return ("llm_outputs",) if task.settings.expected is None else ("llm_outputs", "assessment")


def build_compared_deps(other: TaskScope) -> list[dg.AssetDep]:
    """The other task's stages, of the batch with the same key, though its partitions are definitions of their own."""
    return [
        dg.AssetDep(other.build_key(stage), partition_mapping=dg.IdentityPartitionMapping())
        for stage in list_compared_stages(other.task)
    ]


def build_compared_specs(scopes: Sequence[TaskScope]) -> list[dg.AssetSpec]:
    """The stages of tasks that these are compared with and that are not among them.

    Without a word about their batches Dagster would take the version of any batch for that of the one compared.
    """
    known = {scope.task.name for scope in scopes}
    found = [other for scope in scopes if (other := find_compared_scope(scope)) is not None]
    others = {other.task.name: other for other in found if other.task.name not in known}
    return [
        dg.AssetSpec(other.build_key(stage), partitions_def=other.batches, group_name=name)
        for name, other in others.items()
        for stage in list_compared_stages(other.task)
    ]


def read_compared_versions(
    scope: TaskScope, instance: dg.DagsterInstance, batches: Sequence[BatchKey]
) -> Mapping[BatchKey, str]:
    """What the other task's stages are now, of each batch of which it has made any."""
    other = find_compared_scope(scope)
    if other is None:
        return {}
    nodes = [_build_node(stage) for stage in list_compared_stages(other.task)]
    history = StageHistory(scope=other, instance=instance, graph=StageGraph(nodes=tuple(nodes)))
    versions: dict[BatchKey, dict[str, str]] = {}
    for (stage, batch), made in history.read_made(batches).items():
        if batch is not None:
            versions.setdefault(batch, {})[stage] = made.data_version
    return {batch: fingerprint(found) for batch, found in versions.items()}


def _build_node(stage: str) -> StageNode:
    return StageNode(name=stage, upstream=(), is_batched=True, reads_input=False, code_version="")
