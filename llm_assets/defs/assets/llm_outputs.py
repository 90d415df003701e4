"""The LLM outputs stage: what the model answered, and what became of every item."""

import dagster as dg

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.llm_outputs import LLMOutputs, fingerprint_outputs
from llm_assets.core.schema_record import SchemaText
from llm_assets.core.stage_checks import check_llm_outputs
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.calling import (
    POOL,
    RunOptions,
    build_request,
    build_step_parts,
    choose_settings,
)
from llm_assets.defs.check_results import build_stage_checks
from llm_assets.defs.checks import CheckedResult
from llm_assets.defs.definition_metadata import (
    describe_definition,
    describe_models,
    list_model_kinds,
    list_prompts,
)
from llm_assets.defs.observing import build_observer
from llm_assets.defs.output_metadata import describe_generation
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.run_lock import RUN_LOCK, run_lock_resource
from llm_assets.defs.scope import TaskScope, get_batch
from llm_assets.defs.stage_arguments import build_checked_arguments
from llm_assets.gateways.generation import generate_outputs
from llm_assets.gateways.schema_texts import load_answer_schemas

RECIPE = 1
"""Raised when the same answers would give other outputs."""


def _build_code_version(scope: TaskScope) -> str:
    """What of the settings and files shapes the outputs."""
    (step,) = scope.task.steps
    return scope.build_code_version(RECIPE, **build_step_parts(scope.task, step))


def build_llm_outputs_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of a task that is one step."""
    task = scope.task
    (step,) = task.steps

    @dg.asset(
        **build_checked_arguments(scope, "llm_outputs", LLMOutputs),
        resource_defs={RUN_LOCK: run_lock_resource},
        ins=scope.build_inputs("schema_text", "work_items", "group_contexts"),
        deps=[scope.build_key("prompt_file"), scope.build_key("config_file")],
        kinds=list_model_kinds(step),
        metadata=describe_definition(scope, files=list_prompts(step), **describe_models(step)),
        pool=POOL,
        code_version=_build_code_version(scope),
    )
    def llm_outputs(
        context: dg.AssetExecutionContext,
        config: RunOptions,
        schema_text: SchemaText,
        work_items: WorkItems,
        group_contexts: GroupContexts,
    ) -> CheckedResult[LLMOutputs]:
        """What became of every item: its validated output, or why there is none.

        Every answer is on record before anything is made of it, and no answered call is ever sent again: after
        a crash, a new row or a changed parser only what is missing is asked. A failed item stays in its place,
        with its reason, its attempts and what they cost.
        """
        with stop_plainly():
            chosen = choose_settings(context, scope, config)
            # Before the run, which may take hours in which somebody edits the prompt.
            code_version = _build_code_version(chosen) if config.set else None
            generation = generate_outputs(
                chosen.task,
                scope.project,
                build_request(context, config),
                schema_text=schema_text,
                items=work_items,
                contexts=group_contexts,
                observer=build_observer(context, scope.observers),
                clock=scope.clock,
            )
            checks = check_llm_outputs(
                generation.outputs,
                items=work_items,
                summary=generation.summary,
                settings=chosen.task.settings,
            )
            return publish(
                generation.outputs,
                checks=build_stage_checks(checks, chosen.task.settings.checks),
                metadata=describe_generation(
                    scope,
                    get_batch(context),
                    generation=generation,
                    items_meta=work_items.meta,
                    schemas=load_answer_schemas(
                        task, scope.project, source_sha256=schema_text.source_sha256
                    ),
                ),
                content_sha256=fingerprint_outputs(generation.outputs),
                code_version=code_version,
            )

    return llm_outputs
