"""The steps stage: what the model answered in each step of a chain."""

from collections.abc import Iterator, Sequence

import dagster as dg

from llm_assets.core.answer_columns import AnswerSchemas
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import LLMOutputs, fingerprint_outputs
from llm_assets.core.schema_record import SchemaText
from llm_assets.core.work_items import WorkItems, WorkItemsMeta
from llm_assets.defs.calling import (
    POOL,
    RunOptions,
    build_request,
    build_step_parts,
    choose_settings,
    name_calling_op,
    name_prompt_file,
)
from llm_assets.defs.definition_metadata import (
    describe_definition,
    describe_models,
    list_model_kinds,
    list_prompts,
)
from llm_assets.defs.io_managers import build_io_manager
from llm_assets.defs.observing import build_observer
from llm_assets.defs.output_metadata import describe_step
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.run_lock import RUN_LOCK, run_lock_resource
from llm_assets.defs.scope import TaskScope, get_value_type
from llm_assets.gateways.schema_texts import load_answer_schemas
from llm_assets.gateways.steps_run import StepsGeneration, generate_steps
from llm_assets.gateways.tasks import TaskStep

RECIPE = 1
"""Raised when the same answers would give other outputs."""
SHARED_STAGES = ("schema_text", "work_items", "group_contexts")
"""What every step is made from, beside its prompt and the steps before it."""


def build_step_assets(scope: TaskScope) -> dg.AssetsDefinition:
    """An asset for each step of a task; one run makes any of them together."""
    task = scope.task
    by_name = {step.name: step for step in task.steps if step.name is not None}
    prompts = [scope.build_key(name_prompt_file(name)) for name in by_name]

    @dg.multi_asset(
        name=name_calling_op(scope),
        outs={name: _build_out(scope, step) for name, step in by_name.items()},
        internal_asset_deps={name: _list_inputs(scope, step) for name, step in by_name.items()},
        ins=scope.build_inputs(*SHARED_STAGES),
        deps=[*prompts, scope.build_key("config_file")],
        can_subset=True,
        resource_defs={
            RUN_LOCK: run_lock_resource,
            _name_io_manager(scope): dg.IOManagerDefinition.hardcoded_io_manager(
                build_io_manager(scope)
            ),
        },
        partitions_def=scope.batches,
        pool=POOL,
    )
    def steps(
        context: dg.AssetExecutionContext,
        config: RunOptions,
        schema_text: SchemaText,
        work_items: WorkItems,
        group_contexts: GroupContexts,
    ) -> Iterator[dg.MaterializeResult[LLMOutputs]]:
        """Lead every item through the steps; those that are not chosen stand as they were stored.

        The results come in the order of the steps, because Dagster notes with each what the ones before it were.
        """
        with stop_plainly():
            chosen = choose_settings(context, scope, config)
            # Before the run, which may take hours in which somebody edits a prompt.
            versions = _build_code_versions(chosen) if config.set else {}
            generation = generate_steps(
                chosen.task,
                scope.project,
                build_request(context, config),
                selected={
                    name for name in by_name if scope.build_key(name) in _list_chosen(context)
                },
                schema_text=schema_text,
                items=work_items,
                contexts=group_contexts,
                observer=build_observer(context, scope.observers),
                clock=scope.clock,
            )
            schemas = load_answer_schemas(
                task, scope.project, source_sha256=schema_text.source_sha256
            )
            for name in by_name:
                if name in generation.outputs:
                    yield _publish(
                        scope,
                        generation,
                        name,
                        items_meta=work_items.meta,
                        schemas=schemas.steps[name],
                        code_version=versions.get(name),
                    )

    return steps


def _build_out(scope: TaskScope, step: TaskStep) -> dg.AssetOut:
    name = step.settings.name or ""
    return dg.AssetOut(
        key=scope.build_key(name),
        io_manager_key=_name_io_manager(scope),
        dagster_type=get_value_type(LLMOutputs),
        is_required=False,
        description=_describe(step),
        group_name=scope.task.name,
        owners=scope.owners,
        tags=scope.tags,
        kinds=list_model_kinds(step),
        metadata=describe_definition(scope, files=list_prompts(step), **describe_models(step)),
        code_version=_build_code_version(scope, step),
    )


def _build_code_version(scope: TaskScope, step: TaskStep) -> str:
    """What of the settings and files shapes the outputs of a step."""
    return scope.build_code_version(
        RECIPE,
        **build_step_parts(scope.task, step),
        classes=[step.settings.output_model, step.settings.judge_model],
        after=step.settings.upstream,
    )


def _name_io_manager(scope: TaskScope) -> str:
    """A name of the task's own, so that definitions of several tasks can be merged."""
    return f"{name_calling_op(scope)}_io_manager"


def _describe(step: TaskStep) -> str:
    """What a person reads in the UI."""
    settings = step.settings
    before = f" It reads what {_render_names(settings.after)} answered." if settings.after else ""
    return (
        f"What became of every item in the step `{settings.name}`: its validated `{settings.output_model}`, or why "
        f"there is none.{before}\n\n"
        "An item without an accepted output of an earlier step is `blocked` here and costs nothing; the others go "
        "on. Materialized alone, the step takes the stored outputs of the steps before it. No answered call is ever "
        "sent again."
    )


def _render_names(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _list_inputs(scope: TaskScope, step: TaskStep) -> set[dg.AssetKey]:
    stages = [*SHARED_STAGES, "config_file", name_prompt_file(step.name), *step.settings.upstream]
    return {scope.build_key(stage) for stage in stages}


def _list_chosen(context: dg.AssetExecutionContext) -> set[dg.AssetKey]:
    return set(context.selected_asset_keys)


def _publish(
    scope: TaskScope,
    generation: StepsGeneration,
    name: StepName,
    *,
    items_meta: WorkItemsMeta,
    schemas: AnswerSchemas,
    code_version: str | None,
) -> dg.MaterializeResult[LLMOutputs]:
    outputs = generation.outputs[name]
    return publish(
        outputs,
        key=scope.build_key(name),
        metadata=describe_step(
            scope, name, generation=generation, items_meta=items_meta, schemas=schemas
        ),
        content_sha256=fingerprint_outputs(outputs),
        code_version=code_version,
    )


def _build_code_versions(scope: TaskScope) -> dict[StepName | None, str]:
    return {step.name: _build_code_version(scope, step) for step in scope.task.steps}
