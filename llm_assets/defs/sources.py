"""The files that people write, as nodes of the lineage."""

import warnings

import dagster as dg

from llm_assets.defs.calling import name_prompt_file
from llm_assets.defs.definition_metadata import describe_definition, list_prompts
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.batches import hash_inputs
from llm_assets.gateways.review_stages import hash_corrections
from llm_assets.gateways.reviews import find_review_folder
from llm_assets.gateways.tasks import TaskStep


def build_source_assets(
    scope: TaskScope,
) -> list[dg.AssetSpec | dg.SourceAsset]:
    """The task's input files, the prompts of its steps and its config.

    Input files have a version for each batch, reported whenever the command line registers one. Prompt and
    config have none of their own: the stages that read them carry them in their code versions, which hold for
    all batches at once.
    """
    prompts = [_build_prompt_file(scope, step) for step in scope.task.steps]
    reviews = [] if scope.task.settings.gate is None else [_build_review_files(scope)]
    return [_build_input_file(scope), *prompts, _build_config_file(scope), *reviews]


def list_unversioned_files(scope: TaskScope) -> list[dg.AssetKey]:
    """Those of them that need not have a version: config and prompts, and reviews before the first one."""
    prompts = [name_prompt_file(step.name) for step in scope.task.steps]
    reviews = [] if scope.task.settings.gate is None else ["review_files"]
    return [scope.build_key(name) for name in ("config_file", *prompts, *reviews)]


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
            # A source has no argument for kinds; they are tags of this form. Nor can it have owners.
            tags={**scope.tags, "dagster/kind/table": "", "dagster/kind/file": ""},
            metadata=describe_definition(scope, files={"input_folder": scope.task.input_folder}),
            partitions_def=scope.batches,
            description=f"The tables in `{folder}`, one a batch.",
        )(input_file)


def _build_prompt_file(scope: TaskScope, step: TaskStep) -> dg.AssetSpec:
    prompts = list_prompts(step)
    shown = " and the judge's, ".join(f"`{scope.project.show(path)}`" for path in prompts.values())
    stale = "outputs" if step.name is None else f"outputs of the step `{step.name}`"
    return dg.AssetSpec(
        key=scope.build_key(name_prompt_file(step.name)),
        group_name=scope.task.name,
        owners=scope.owners,
        tags=scope.tags,
        kinds={"yaml", "jinja"},
        description=f"The prompt, {shown}. A change makes the {stale} of every batch stale.",
        metadata=describe_definition(scope, files=prompts),
    )


def _build_review_files(scope: TaskScope) -> dg.SourceAsset:
    task, project = scope.task, scope.project
    folder = find_review_folder(task, project)

    def review_files() -> dg.DataVersion:
        return dg.DataVersion(hash_corrections(task, project))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.observable_source_asset(
            key=scope.build_key("review_files"),
            group_name=task.name,
            tags={**scope.tags, "dagster/kind/excel": "", "dagster/kind/person": ""},
            metadata=describe_definition(scope, files={"folder": folder}),
            description=f"The workbooks in `{project.show(folder)}` in which people decided on items.",
        )(review_files)


def _build_config_file(scope: TaskScope) -> dg.AssetSpec:
    path = scope.project.show(scope.task.config_path)
    return dg.AssetSpec(
        key=scope.build_key("config_file"),
        group_name=scope.task.name,
        owners=scope.owners,
        tags=scope.tags,
        kinds={"yaml"},
        description=f"The task's settings, `{path}`. Each stage is stale only after a change of what it uses.",
        metadata=describe_definition(scope),
    )
