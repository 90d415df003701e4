"""Which checks belong to which stage, and what those that are switched on found."""

from collections.abc import Callable, Mapping
from functools import partial

from pydantic import BaseModel

from llm_assets.config.checks import CheckName
from llm_assets.config.compare import CompareSettings
from llm_assets.config.task import TaskSettings
from llm_assets.core.assessment import AssessmentMeta
from llm_assets.core.checks import (
    CheckResult,
    decide_column_types,
    decide_duplicates,
    decide_failed_items,
    decide_lines_complete,
    decide_records_complete,
    decide_score,
    decide_valid_outputs,
    decide_within_budget,
)
from llm_assets.core.comparison import Comparison
from llm_assets.core.comparison_limits import decide_agreement
from llm_assets.core.export import ExportTable
from llm_assets.core.gate import GateMeta
from llm_assets.core.gate_check import decide_gate_share
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.work_items import WorkItems, WorkItemsMeta

STAGE_CHECKS: Mapping[str, tuple[CheckName, ...]] = {
    "work_items": ("duplicates",),
    "llm_outputs": ("rows_complete", "failed_items", "within_budget"),
    "export": ("rows_complete", "valid_outputs", "column_types"),
    "assessment": ("score",),
    "gate": ("gate_share",),
    "comparison": ("agreement",),
}
"""The checks of each stage that has any."""

_Decisions = Mapping[CheckName, Callable[[], CheckResult]]


def list_enabled_checks(stage: str, settings: TaskSettings) -> tuple[CheckName, ...]:
    """The checks of a stage that the task has not switched off."""
    return tuple(name for name in STAGE_CHECKS[stage] if settings.checks.find_rule(name).enabled)


def check_work_items(
    items: WorkItems, snapshot: InputSnapshot, settings: TaskSettings
) -> tuple[CheckResult, ...]:
    """What the checks of the work items found."""
    decisions: _Decisions = {
        "duplicates": partial(
            decide_duplicates, items.records, snapshot, settings.checks.duplicates
        )
    }
    return _decide("work_items", decisions, settings)


def check_llm_outputs(
    outputs: LLMOutputs, *, items: WorkItems, summary: RunSummary, settings: TaskSettings
) -> tuple[CheckResult, ...]:
    """What the checks of the outputs found; `summary` is that of the run which finished them."""
    checks = settings.checks
    decisions: _Decisions = {
        "rows_complete": partial(decide_records_complete, outputs.records, items.records),
        "failed_items": partial(
            decide_failed_items, outputs.meta.totals.outcomes, checks.failed_items
        ),
        "within_budget": partial(
            decide_within_budget, summary, settings.budget, checks.within_budget
        ),
    }
    return _decide("llm_outputs", decisions, settings)


def check_export(
    table: ExportTable,
    *,
    snapshot: InputSnapshot,
    items_meta: WorkItemsMeta,
    outputs: LLMOutputs,
    output_model: type[BaseModel],
    settings: TaskSettings,
) -> tuple[CheckResult, ...]:
    """What the checks of the export found."""
    decisions: _Decisions = {
        "rows_complete": partial(
            decide_lines_complete,
            [line.work_id for line in table.records],
            snapshot=snapshot,
            outputs=outputs,
            mode=items_meta.mode,
            only_accepted=settings.export.only_accepted,
        ),
        "valid_outputs": partial(decide_valid_outputs, outputs.records, snapshot, output_model),
        "column_types": partial(decide_column_types, table),
    }
    return _decide("export", decisions, settings)


def check_assessment(meta: AssessmentMeta, *, settings: TaskSettings) -> tuple[CheckResult, ...]:
    """What the check of the score found."""
    decisions: _Decisions = {"score": partial(decide_score, meta)}
    return _decide("assessment", decisions, settings)


def check_gate(meta: GateMeta, *, settings: TaskSettings) -> tuple[CheckResult, ...]:
    """What the check of the gate found."""
    decisions: _Decisions = {
        "gate_share": partial(decide_gate_share, meta, settings.checks.gate_share)
    }
    return _decide("gate", decisions, settings)


def check_comparison(
    comparison: Comparison, compare: CompareSettings, *, settings: TaskSettings
) -> tuple[CheckResult, ...]:
    """What the check of the comparison found."""
    decisions: _Decisions = {"agreement": partial(decide_agreement, comparison, compare)}
    return _decide("comparison", decisions, settings)


def _decide(stage: str, decisions: _Decisions, settings: TaskSettings) -> tuple[CheckResult, ...]:
    return tuple(decisions[name]() for name in list_enabled_checks(stage, settings))
