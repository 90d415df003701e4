"""The files that people write, as nodes of the lineage."""

import warnings

import dagster as dg

from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.batches import hash_inputs


def build_source_assets(
    scope: TaskScope,
) -> list[dg.AssetSpec | dg.SourceAsset]:
    """The task's input files, its prompt and its config.

    Input files have a version for each batch, reported whenever the command line registers one. Prompt and
    config have none of their own: the stages that read them carry them in their code versions, which hold for
    all batches at once.
    """
    return [_build_input_file(scope), _build_prompt_file(scope), _build_config_file(scope)]


def _build_input_file(scope: TaskScope) -> dg.SourceAsset:
    folder = scope.project.show(scope.task.input_folder)

    def input_file(context: dg.OpExecutionContext) -> dg.DataVersionsByPartition:
        versions = hash_inputs(scope.task, scope.project, keys=context.partition_keys)
        return dg.DataVersionsByPartition(dict(versions))

    with warnings.catch_warnings():
        # The decorator is marked as beta; a person who loads a project can do nothing about that.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.observable_source_asset(
            key=scope.build_key("input_file"),
            group_name=scope.task.name,
            tags=scope.tags,
            partitions_def=scope.batches,
            description=f"The tables in `{folder}`, one a batch.",
        )(input_file)


def _build_prompt_file(scope: TaskScope) -> dg.AssetSpec:
    path = scope.project.show(scope.task.prompt_path)
    return dg.AssetSpec(
        key=scope.build_key("prompt_file"),
        group_name=scope.task.name,
        tags=scope.tags,
        kinds={"yaml", "jinja"},
        description=f"The prompt, `{path}`. A change makes the outputs of every batch stale.",
        metadata={"path": dg.MetadataValue.path(str(scope.task.prompt_path))},
    )


def _build_config_file(scope: TaskScope) -> dg.AssetSpec:
    path = scope.project.show(scope.task.config_path)
    return dg.AssetSpec(
        key=scope.build_key("config_file"),
        group_name=scope.task.name,
        tags=scope.tags,
        kinds={"yaml"},
        description=f"The task's settings, `{path}`. Each stage is stale only after a change of what it uses.",
        metadata={"path": dg.MetadataValue.path(str(scope.task.config_path))},
    )
