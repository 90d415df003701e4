"""The LLM outputs stage: what the model answered, and what became of every item."""

from dataclasses import replace
from typing import Any

import dagster as dg
from pydantic import Field

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.llm_outputs import LLMOutputs, fingerprint_outputs
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.schema_record import SchemaText
from llm_assets.core.setting_changes import render_setting_change
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.metadata import describe_outputs, describe_plan
from llm_assets.defs.observing import build_observer
from llm_assets.defs.publishing import VERSION_DIGITS, publish, stop_plainly
from llm_assets.defs.scope import TaskScope, dump_settings, get_batch, list_image_parts
from llm_assets.gateways.generation import GenerationRequest, generate_outputs
from llm_assets.gateways.hook_files import find_hook_files
from llm_assets.gateways.launchpad import override_outputs
from llm_assets.gateways.prompt_files import fingerprint_prompt_file

RECIPE = 1
"""Raised when the same answers would give other outputs."""
TEXT_RECIPE = 1
"""Raised when the same text answers would be read otherwise."""


def _list_judge_parts(scope: TaskScope) -> list[object]:
    """What the judge adds to the code version: nothing, where there is none."""
    task = scope.task
    if task.settings.judge is None or task.judge_prompt_path is None:
        return []
    return [
        dump_settings(task.settings.judge),
        fingerprint_prompt_file(task.judge_prompt_path),
        task.judge_endpoint.base_url,
        task.judge_endpoint.structured_output,
        task.judge_endpoint.token_parameter,
    ]


def _list_answer_parts(scope: TaskScope) -> list[object]:
    """What the reading of text answers adds to the code version: nothing, where answers are JSON."""
    answer = scope.task.settings.answer
    return [] if answer.kind == "json" else [TEXT_RECIPE, dump_settings(answer)]


def _list_hook_parts(scope: TaskScope) -> list[object]:
    """What the functions of the project add to the code version: nothing, where there are none."""
    files = find_hook_files(scope.task)
    if not files:
        return []
    return [dump_settings(scope.task.settings.hooks), *map(fingerprint_prompt_file, files)]


def _build_code_version(scope: TaskScope) -> str:
    """What of the settings and files shapes the outputs."""
    task, settings = scope.task, scope.task.settings
    return scope.build_code_version(
        RECIPE,
        fingerprint_prompt_file(task.prompt_path),
        dump_settings(settings.llm),
        task.endpoint.base_url,
        task.endpoint.structured_output,
        task.endpoint.token_parameter,
        dump_settings(settings.attempts),
        *_list_judge_parts(scope),
        *_list_answer_parts(scope),
        *_list_hook_parts(scope),
        *list_image_parts(scope),
    )


class RunOptions(dg.Config):
    """What can be chosen for one run."""

    limit: int | None = Field(
        default=None, ge=1, description="Only the first so many items that are due."
    )
    force: bool = Field(default=False, description="Ask anew, also where there are answers.")
    set: dict[str, Any] = Field(
        default={},
        description="Settings for this run alone by their paths, such as `llm.temperature: 0.2`.",
    )


def build_llm_outputs_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task = scope.task

    @dg.asset(
        key=scope.build_key("llm_outputs"),
        ins={
            "schema_text": scope.build_input("schema_text"),
            "work_items": scope.build_input("work_items"),
            "group_contexts": scope.build_input("group_contexts"),
        },
        deps=[scope.build_key("prompt_file"), scope.build_key("config_file")],
        group_name=task.name,
        owners=scope.owners,
        tags=scope.tags,
        kinds={"llm", "openai"},
        partitions_def=scope.batches,
        pool="llm_api",
        code_version=_build_code_version(scope),
    )
    def llm_outputs(
        context: dg.AssetExecutionContext,
        config: RunOptions,
        schema_text: SchemaText,
        work_items: WorkItems,
        group_contexts: GroupContexts,
    ) -> dg.MaterializeResult[LLMOutputs]:
        """What became of every item: its validated output, or why there is none.

        Every answer is on record before anything is made of it, and no answered call is ever sent again: after
        a crash, a new row or a changed parser only what is missing is asked. A failed item stays in its place,
        with its reason, its attempts and what they cost.
        """
        with stop_plainly():
            chosen = override_outputs(task, scope.project, config.set)
            for change in chosen.changes:
                context.log.info("set: %s", render_setting_change(change))
            generation = generate_outputs(
                chosen,
                scope.project,
                GenerationRequest(
                    batch=get_batch(context),
                    run_id=context.run.run_id,
                    choice=RunChoice(limit=config.limit, is_forced=config.force),
                ),
                schema_text=schema_text,
                items=work_items,
                contexts=group_contexts,
                observer=build_observer(context, scope.observers),
                clock=scope.clock,
            )
            return publish(
                generation.outputs,
                metadata=describe_outputs(generation.outputs, generation.summary)
                | describe_plan(generation.plan),
                data_version=fingerprint_outputs(generation.outputs)[:VERSION_DIGITS],
                code_version=_build_code_version(replace(scope, task=chosen))
                if config.set
                else None,
            )

    return llm_outputs
