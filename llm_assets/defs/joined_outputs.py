"""The LLM outputs stage of a chain: what became of every item in all of its steps.

Not beside the other stages, because it is `llm_outputs` made otherwise: `assets/llm_outputs.py` asks a model, this one
joins what `assets/steps.py` asked for, so that everything after either is the same.
"""

from typing import Any

import dagster as dg

from llm_assets.core.chain_outputs import join_steps
from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import LLMOutputs, fingerprint_outputs
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.schema_record import SchemaText
from llm_assets.core.stage_checks import check_llm_outputs
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.check_results import build_stage_checks
from llm_assets.defs.checks import CheckedResult
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.output_metadata import describe_joined
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, get_batch, get_value_type
from llm_assets.defs.stage_arguments import build_checked_arguments
from llm_assets.gateways.artifacts import load_model
from llm_assets.gateways.schema_texts import load_answer_schemas
from llm_assets.gateways.steps_run import find_run_record

RECIPE = 1
"""Raised when the same outputs of steps would be joined otherwise."""


def build_joined_outputs_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of a task that is several steps."""
    task = scope.task
    after = {step.name: step.settings.after for step in task.steps if step.name is not None}

    @dg.asset(
        **build_checked_arguments(scope, "llm_outputs", LLMOutputs),
        ins={
            **scope.build_inputs("schema_text", "work_items"),
            **{
                name: dg.AssetIn(key=scope.build_key(name), dagster_type=get_value_type(LLMOutputs))
                for name in after
            },
        },
        kinds={"json"},
        metadata=describe_definition(scope),
        code_version=scope.build_code_version(RECIPE, after=after),
    )
    def llm_outputs(
        context: dg.AssetExecutionContext,
        schema_text: SchemaText,
        work_items: WorkItems,
        **steps: Any,  # noqa: ANN401 -- Dagster asks for the type of each step's outputs above
    ) -> CheckedResult[LLMOutputs]:
        """What became of every item in all steps: their validated outputs, or which step stopped it and why.

        One record an item, with the attempts, tokens and costs of all steps. It is accepted where every step has
        accepted it. Made from the steps' outputs alone, without any call.
        """
        with stop_plainly():
            batch = get_batch(context)
            joined = join_steps(
                {name: steps[name] for name in after},
                after={name: tuple(map(StepName, names)) for name, names in after.items()},
            )
            record = find_run_record(task, scope.project, batch)
            checks = check_llm_outputs(
                joined,
                items=work_items,
                summary=load_model(record, RunSummary, shown=record.name),
                settings=task.settings,
            )
            schemas = load_answer_schemas(
                task, scope.project, source_sha256=schema_text.source_sha256
            )
            return publish(
                joined,
                checks=build_stage_checks(checks, task.settings.checks),
                metadata=describe_joined(
                    scope, batch, outputs=joined, items_meta=work_items.meta, schemas=schemas
                ),
                content_sha256=fingerprint_outputs(joined),
            )

    return llm_outputs
