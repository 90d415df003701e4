"""Which stages a task has, read from its assets as they are defined now."""

from collections.abc import Sequence

import dagster as dg

from llm_assets.core.stage_graph import StageGraph, StageNode, build_stage_graph
from llm_assets.defs.calling import POOL
from llm_assets.defs.scope import TaskScope


def read_stage_graph(scope: TaskScope, assets: Sequence[dg.AssetsDefinition]) -> StageGraph:
    """The stages among these assets and what each of them reads; files are no stages."""
    stages = {key: definition for definition in assets for key in definition.keys}
    input_file = scope.build_key("input_file")
    nodes = [
        StageNode(
            name=key.path[-1],
            upstream=tuple(
                sorted(dep.path[-1] for dep in definition.asset_deps[key] if dep in stages)
            ),
            is_batched=definition.specs_by_key[key].partitions_def is not None,
            reads_input=input_file in definition.asset_deps[key],
            code_version=definition.code_versions_by_key[key] or "",
            calls_models=definition.op.pool == POOL,
        )
        for key, definition in stages.items()
    ]
    return build_stage_graph(nodes)
