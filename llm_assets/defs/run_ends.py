"""How did a Dagster run end, in plain words and as an exit code?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterExecutionInterruptedError

from llm_assets.defs.check_results import FailedCheck, list_failed_checks
from llm_assets.defs.publishing import EXIT_CODE_KEY
from llm_assets.errors import ProviderError

if TYPE_CHECKING:
    from dagster._core.execution.plan.objects import StepFailureData

CHECK_FAILED = 1
"""The exit code that failed items have, too."""
CHECK_ERROR = "DagsterAssetCheckFailedError"
"""What Dagster stops a step with where such a check failed; the class has no public name."""
MISTAKE = 2
"""The exit code of what a person has to mend, and of what nobody foresaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a Dagster run ended."""

    problem: str | None
    """What stopped it, in plain words; None where it came to its end."""
    exit_code: int
    failed_checks: tuple[FailedCheck, ...] = ()
    """Checks that failed without stopping it."""
    stages: tuple[str, ...] = ()
    """What it made."""

    @property
    def is_endpoint_lost(self) -> bool:
        """Whether an endpoint or a budget stopped it, which would stop the next batch as well."""
        return self.problem is not None and self.exit_code == ProviderError.exit_code


FINE = RunEnd(problem=None, exit_code=0)


def read_end(result: dg.ExecuteInProcessResult) -> RunEnd:
    """What came of a run that was executed in this process; `KeyboardInterrupt` where somebody stopped it."""
    failed = list_failed_checks(result)
    told = tuple(check for check in failed if not check.is_blocking)
    if result.success:
        has_error = any(check.severity == "error" for check in told)
        keys = [event.asset_key for event in result.get_asset_materialization_events()]
        stages = tuple(key.path[-1] for key in keys if key is not None)
        return RunEnd(problem=None, exit_code=int(has_error), failed_checks=told, stages=stages)
    stops = [check.render() for check in failed if check.is_blocking]
    ends = [(f"The batch stopped at the {'; '.join(stops)}", CHECK_FAILED)] if stops else []
    ends += map(_read_failure, _list_failures(result))
    return RunEnd(
        problem="\n".join(problem for problem, _ in ends) or "The run did not finish.",
        exit_code=max((code for _, code in ends), default=MISTAKE),
        failed_checks=told,
    )


def _list_failures(result: dg.ExecuteInProcessResult) -> "list[StepFailureData]":
    """What stages failed at, but for blocking checks."""
    failures = [event.step_failure_data for event in result.get_step_failure_events()]
    classes = [failure.error.cls_name if failure.error else None for failure in failures]
    if DagsterExecutionInterruptedError.__name__ in classes:
        raise KeyboardInterrupt
    return [failure for failure, name in zip(failures, classes, strict=True) if name != CHECK_ERROR]


def _read_failure(failure: "StepFailureData") -> tuple[str, int]:
    """What is said of it, and the exit code."""
    told = failure.user_failure_data
    if told is None:
        return failure.error.to_string() if failure.error else "The run failed.", MISTAKE
    code = told.metadata.get(EXIT_CODE_KEY)
    value = code.value if code is not None else None
    return told.description or "The run failed.", value if isinstance(value, int) else MISTAKE
