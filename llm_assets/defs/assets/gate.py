"""The gate stage: which way each item goes."""

import dagster as dg

from llm_assets.config.gate import GateSettings
from llm_assets.core.corrections import Corrections
from llm_assets.core.gate import GateDecisions
from llm_assets.core.gate_text import iter_routing_lines
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.schema_record import SchemaRecord
from llm_assets.core.stage_checks import check_gate
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.check_results import build_stage_checks
from llm_assets.defs.checks import CheckedResult
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.observing import log_lines
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.review_metadata import describe_gate
from llm_assets.defs.scope import TaskScope, dump_settings
from llm_assets.defs.stage_arguments import build_checked_arguments
from llm_assets.gateways.review_stages import choose_threshold, sort_outputs

RECIPE = 1
"""Raised when the same outputs would go other ways."""


class GateOptions(dg.Config):
    """What one run can decide otherwise."""

    at_least: float | None = None
    """The threshold for this run; the config's where it is not given. The next run without it sorts anew."""


def build_gate_asset(scope: TaskScope, settings: GateSettings) -> dg.AssetsDefinition:
    """The asset of one task with a gate."""
    task = scope.task

    def build_code_version(chosen: GateSettings) -> str:
        return scope.build_code_version(RECIPE, gate=dump_settings(chosen))

    @dg.asset(
        **build_checked_arguments(scope, "gate", GateDecisions),
        ins=scope.build_inputs("schema", "work_items", "llm_outputs", "corrections"),
        kinds={"json"},
        metadata=describe_definition(scope, field=settings.field, at_least=str(settings.at_least)),
        code_version=build_code_version(settings),
    )
    def gate(
        context: dg.AssetExecutionContext,
        config: GateOptions,
        schema: SchemaRecord,
        work_items: WorkItems,
        llm_outputs: LLMOutputs,
        corrections: Corrections,
    ) -> CheckedResult[GateDecisions]:
        """Which way each item goes: published, to a person, turned down by one, or failed; with value and threshold.

        An accepted output passes where its number is the threshold or more; one without a number does not. What a
        person decided wins. A changed threshold sends no call.
        """
        with stop_plainly():
            chosen = choose_threshold(settings, config.at_least)
            decisions = sort_outputs(
                task,
                scope.project,
                source_sha256=schema.source_sha256,
                settings=chosen,
                items=work_items,
                outputs=llm_outputs,
                corrections=corrections,
            )
            log_lines(context, iter_routing_lines(decisions))
            return publish(
                decisions,
                metadata=describe_gate(decisions),
                checks=build_stage_checks(
                    check_gate(decisions.meta, settings=task.settings), task.settings.checks
                ),
                code_version=None if chosen == settings else build_code_version(chosen),
            )

    return gate
