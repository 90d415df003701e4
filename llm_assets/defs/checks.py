"""Which checks Dagster knows of a stage, and what a stage with checks returns."""

import warnings
from typing import TYPE_CHECKING, Literal

import dagster as dg

from llm_assets.config.checks import CheckName
from llm_assets.core.stage_checks import list_enabled_checks
from llm_assets.defs.scope import TaskScope

CheckedStage = Literal["work_items", "llm_outputs", "export", "assessment", "comparison", "gate"]

if TYPE_CHECKING:
    CheckedResult = dg.MaterializeResult
else:

    class CheckedResult:
        """What a stage with checks returns: `CheckedResult[WorkItems]`.

        Dagster 1.13 takes no argument of `MaterializeResult` in the annotation of an asset with checks, so for
        Dagster it has none; the asset says the type of its value as `dagster_type`.
        """

        def __class_getitem__(cls, _value: type) -> type[dg.MaterializeResult]:
            return dg.MaterializeResult


_DESCRIPTIONS: dict[CheckedStage, dict[CheckName, str]] = {
    "work_items": {
        "duplicates": "Few enough items show the model exactly what an earlier one shows.",
    },
    "llm_outputs": {
        "rows_complete": "Every work item has one record, in the order of the items.",
        "failed_items": "Few enough of the items that were asked have no accepted output.",
        "within_budget": "The budget left no item out, and the run spent no more than it may.",
    },
    "export": {
        "rows_complete": "Every row, or every group, has its line, in the order of the input.",
        "valid_outputs": "Every accepted output passes the schema module as it is now.",
        "column_types": "Every value is of its column's kind: the schema's, or that of the config.",
    },
    "gate": {"gate_share": "Few enough of the accepted items wait for a person."},
    "assessment": {"score": "The score is at least `expected.min_score`."},
    "comparison": {"agreement": "The outputs are as close to the other task's as `compare` asks."},
}


def build_check_specs(scope: TaskScope, stage: CheckedStage) -> list[dg.AssetCheckSpec]:
    """The checks of a stage that are switched on, each with a result of its own for every batch."""
    settings = scope.task.settings
    with warnings.catch_warnings():
        # Partitions of a check are in preview in Dagster 1.13. Without them the UI knows the latest batch alone.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=scope.build_key(stage),
                description=_DESCRIPTIONS[stage][name],
                blocking=settings.checks.find_rule(name).is_blocking,
                partitions_def=scope.batches,
            )
            for name in list_enabled_checks(stage, settings)
        ]
