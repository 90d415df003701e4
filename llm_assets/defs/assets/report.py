"""The report stage: what a person should know about a batch."""

from typing import Any

import dagster as dg

from llm_assets.core.assessment import Assessment
from llm_assets.core.corrections import Corrections
from llm_assets.core.gate import GateDecisions
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.report import Report
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_report
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.scope import TaskScope, dump_settings, get_batch
from llm_assets.defs.stage_arguments import build_batch_arguments
from llm_assets.gateways.report_index import write_index
from llm_assets.gateways.reports import (
    WITHOUT_EFFECT,
    ReportSources,
    build_config_snapshot,
    build_task_report,
    write_report,
)

RECIPE = 4
"""Raised when the same outputs would give another report."""


def build_report_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task."""
    task, project = scope.task, scope.project

    @dg.asset(
        **build_batch_arguments(scope, "report"),
        ins={
            **scope.build_inputs("input_snapshot", "group_contexts", "work_items", "llm_outputs"),
            **scope.build_optional_input("assessment", Assessment),
            **scope.build_optional_input("gate", GateDecisions),
            **scope.build_optional_input("corrections", Corrections),
        },
        deps=[scope.build_key("export")],  # the report points at its files, so it comes after them
        kinds={"markdown", "html"},
        metadata=describe_definition(scope, files={"folder": project.reports / task.name}),
        code_version=scope.build_code_version(
            RECIPE, **dump_settings(task.settings, exclude=WITHOUT_EFFECT)
        ),
    )
    def report(
        context: dg.AssetExecutionContext,
        input_snapshot: InputSnapshot,
        group_contexts: GroupContexts,
        work_items: WorkItemsMeta,
        llm_outputs: LLMOutputs,
        **optional: Any,  # noqa: ANN401 -- Dagster asks for the types of the inputs above
    ) -> dg.MaterializeResult[Report]:
        """What came of the batch, under `data/reports`: counts, cost, failures by cause, samples.

        A page for the browser, with every item, its prompts as sent and its answers, and a Markdown file. Drawn
        from the artifacts and the ledger, so it can be made again at any time without a call. It names the prompt,
        the schema and the settings that the outputs were made with, and where every file lies.
        """
        with stop_plainly():
            batch = get_batch(context)
            sources = ReportSources(
                snapshot=input_snapshot,
                contexts=group_contexts,
                items_meta=work_items,
                outputs=llm_outputs,
                assessment=optional.get("assessment"),
                gate=optional.get("gate"),
                corrections=optional.get("corrections"),
            )
            config = build_config_snapshot(
                task, project, batch, of_outputs=llm_outputs.meta.changes
            )
            value = build_task_report(task, project, sources, config=config)
            written = write_report(task, project, value, sources)
            index = write_index(task, project)
            return publish(value, metadata=describe_report(written, index=index))

    return report
