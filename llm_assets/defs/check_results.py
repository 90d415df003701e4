"""What the checks of a stage found: as it goes with the stage's value, and as it is told after a run."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
from pydantic import JsonValue

from llm_assets.config.checks import CheckSettings, Severity
from llm_assets.core.checks import CheckResult

_SEVERITIES: dict[Severity, dg.AssetCheckSeverity] = {
    "warn": dg.AssetCheckSeverity.WARN,
    "error": dg.AssetCheckSeverity.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChecks:
    """What the checks of a stage found, as it goes with the stage's value."""

    results: tuple[dg.AssetCheckResult, ...]
    blocked_by: str | None
    """Why what comes after the stage must not be made from this value, in the sentences of the checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCheck:
    """A check that failed in a run."""

    stage: str
    name: str
    severity: Severity
    is_blocking: bool
    sentence: str

    def render(self) -> str:
        """The check in a line for people."""
        return f"check {self.name} of {self.stage}: {self.sentence}"

    def build_json(self) -> dict[str, JsonValue]:
        """The check for scripts."""
        return {
            "stage": self.stage,
            "check": self.name,
            "severity": self.severity,
            "blocking": self.is_blocking,
            "sentence": self.sentence,
        }


def build_stage_checks(results: Sequence[CheckResult], settings: CheckSettings) -> StageChecks:
    """The results with the severities of the config; Dagster itself forgets after the run what blocked."""
    blocks = [
        f"{result.name}: {result.sentence}"
        for result in results
        if not result.is_passed and settings.find_rule(result.name).is_blocking
    ]
    return StageChecks(
        results=tuple(
            dg.AssetCheckResult(
                check_name=result.name,
                passed=result.is_passed,
                severity=_SEVERITIES[settings.find_rule(result.name).severity],
                description=result.sentence,
                metadata=dict(result.numbers),
            )
            for result in results
        ),
        blocked_by=" ".join(blocks) or None,
    )


def list_failed_checks(result: dg.ExecuteInProcessResult) -> tuple[FailedCheck, ...]:
    """The checks that failed in a run, in the order of the stages."""
    return tuple(
        FailedCheck(
            stage=found.asset_key.path[-1],
            name=found.check_name,
            severity="error" if found.severity is dg.AssetCheckSeverity.ERROR else "warn",
            is_blocking=bool(found.blocking),
            sentence=found.description or "It failed.",
        )
        for found in result.get_asset_check_evaluations()
        if not found.passed
    )
