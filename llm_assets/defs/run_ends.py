"""How did a Dagster run end, in plain words and as an exit code?"""

from dataclasses import dataclass

import dagster as dg
from dagster import DagsterExecutionInterruptedError

from llm_assets.defs.check_results import FailedCheck, list_failed_checks
from llm_assets.defs.publishing import EXIT_CODE_KEY

CHECK_FAILED = 1
"""The exit code that failed items have, too."""


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
    if stops := [check.render() for check in failed if check.is_blocking]:
        problem = f"The batch stopped at the {'; '.join(stops)}"
        return RunEnd(problem=problem, exit_code=CHECK_FAILED, failed_checks=told)
    failures = [event.step_failure_data for event in result.get_step_failure_events()]
    for failure in failures:
        user_failure = failure.user_failure_data
        if user_failure is not None:
            code = user_failure.metadata.get(EXIT_CODE_KEY)
            exit_code = code.value if code is not None else None
            return RunEnd(
                problem=user_failure.description or "The run failed.",
                exit_code=exit_code if isinstance(exit_code, int) else 2,
                failed_checks=told,
            )
    error = failures[0].error if failures else None
    if error is not None and error.cls_name == DagsterExecutionInterruptedError.__name__:
        raise KeyboardInterrupt
    problem = error.to_string() if error else "The run did not finish."
    return RunEnd(problem=problem, exit_code=2)
