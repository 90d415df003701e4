"""What a task file can say about the checks of its stages, and what holds where it says nothing."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from llm_assets.config.base import Settings

CheckName = Literal[
    "rows_complete",
    "valid_outputs",
    "failed_items",
    "within_budget",
    "duplicates",
    "column_types",
    "score",
    "gate_share",
    "agreement",
]
"""The checks there are; each is a block of `checks`."""
Severity = Literal["warn", "error"]


class CheckRule(Settings):
    """What follows where a check fails."""

    enabled: bool = True
    """`false` switches the check off."""
    severity: Severity = "warn"
    """`warn` tells; `error` also ends `llm-assets run` with exit code 1."""
    blocking: bool = False
    """Whether later stages are kept from running on a batch that fails; takes the severity `error`."""

    @model_validator(mode="after")
    def _check_blocking(self) -> "CheckRule":
        if self.severity == "warn" and self.blocking and "blocking" in self.model_fields_set:
            raise ValueError(
                "`blocking: true` needs `severity: error`, because a warning stops nothing"
            )
        return self

    @property
    def is_blocking(self) -> bool:
        """Whether a failure stops what comes after: a check that was made a warning no longer does."""
        return self.blocking and self.severity == "error"


class PromiseRule(CheckRule):
    """Of a check that only fails where something is broken."""

    severity: Severity = "error"
    blocking: bool = True


class ShareRule(CheckRule):
    """Of a check that lets a few items pass."""

    max_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """So much of the items may be affected; 0.05 is 5%."""


class GateRule(ShareRule):
    """Of the check that looks at how much is left to people."""

    max_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    """So much of the accepted items may wait; more mostly means a threshold or a model that does not fit."""


class BudgetRule(CheckRule):
    """Of the check that looks at a run's spending."""

    max_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """So much of a cap for a run may be spent."""


class CheckSettings(Settings):
    """What is checked whenever a stage is made, and what follows from a failure.

    A changed rule makes nothing stale. It holds from the next time on that the stage is made, which sends no call.
    """

    rows_complete: PromiseRule = PromiseRule()
    """Every work item has its record and every row its line in the export, in their order."""
    valid_outputs: PromiseRule = PromiseRule()
    """Every exported output is validated once more by the schema module as it is now.

    Switch it off where a validator of the module does not accept what it has itself made of an answer.
    """
    failed_items: ShareRule = ShareRule()
    """Few enough of the items that were asked have no accepted output."""
    within_budget: BudgetRule = BudgetRule()
    """The budget left no item out, and the run spent no more of its caps than it may."""
    duplicates: ShareRule = ShareRule()
    """Few enough items show the model the same as an earlier one, which is mostly a mistake in the table."""
    column_types: CheckRule = CheckRule()
    """Every exported value is of its column's kind: the schema's, or the `type` in `export.columns`."""
    score: CheckRule = CheckRule()
    """The score of a batch is at least `expected.min_score`."""
    agreement: PromiseRule = PromiseRule()
    """The outputs are as close to those of the task in `compare` as its limits ask for."""
    gate_share: GateRule = GateRule()
    """Few enough of the items that have an output wait for a person, because they stay below the `gate`."""

    def find_rule(self, name: CheckName) -> CheckRule:
        """The rule of a check."""
        rules: dict[CheckName, CheckRule] = {
            "rows_complete": self.rows_complete,
            "valid_outputs": self.valid_outputs,
            "failed_items": self.failed_items,
            "within_budget": self.within_budget,
            "duplicates": self.duplicates,
            "column_types": self.column_types,
            "score": self.score,
            "gate_share": self.gate_share,
            "agreement": self.agreement,
        }
        return rules[name]
