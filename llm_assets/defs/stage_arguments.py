"""What the assets of all stages are declared with alike."""

from typing import TypedDict

import dagster as dg

from llm_assets.defs.checks import CheckedStage, build_check_specs
from llm_assets.defs.io_managers import ArtifactIOManager, build_io_manager
from llm_assets.defs.scope import TaskScope, get_value_type


class StageArguments(TypedDict):
    """Of a stage that is the same for all batches."""

    key: dg.AssetKey
    io_manager_def: ArtifactIOManager
    group_name: str
    owners: list[str]
    tags: dict[str, str]


class BatchArguments(StageArguments):
    """Of a stage that every batch has a value of."""

    partitions_def: dg.DynamicPartitionsDefinition


class CheckedArguments(BatchArguments):
    """Of a stage of a batch with checks, which says its type here; see `CheckedResult`."""

    check_specs: list[dg.AssetCheckSpec]
    dagster_type: dg.DagsterType


def build_stage_arguments(scope: TaskScope, stage: str) -> StageArguments:
    """What a stage is called, whose it is, and what keeps its value."""
    return {
        "key": scope.build_key(stage),
        "io_manager_def": build_io_manager(scope),
        "group_name": scope.task.name,
        "owners": scope.owners,
        "tags": scope.tags,
    }


def build_batch_arguments(scope: TaskScope, stage: str) -> BatchArguments:
    """The same with the batches."""
    return {**build_stage_arguments(scope, stage), "partitions_def": scope.batches}


def build_checked_arguments(
    scope: TaskScope, stage: CheckedStage, value_type: type[object]
) -> CheckedArguments:
    """The same with the checks that the config switches on, and the type of the value."""
    return {
        **build_batch_arguments(scope, stage),
        "check_specs": build_check_specs(scope, stage),
        "dagster_type": get_value_type(value_type),
    }
