"""Whether a call that brought no answer is sent again, when, and what a fault means for all the others."""

from dataclasses import dataclass
from typing import assert_never

from llm_assets.config.task import LimitSettings
from llm_assets.core.calls import Fault

RETRIES_BEFORE_FIRST_ANSWER = 2
"""An address where nothing ever answered is more likely wrong than busy."""
REJECTIONS_BEFORE_FIRST_ANSWER = 10
"""So many items rejected and none answered: it is not about their texts."""
MAX_DOUBLINGS = 60
"""Beyond any wait in seconds that a person could mean, and short of what a float can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Send the call again after this long."""

    wait_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The item ends as failed; a later run sends the call again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """No other call of this run could fare better."""

    remedy: str


def decide_retry(
    fault: Fault,
    *,
    n_sent: int,
    limits: LimitSettings,
    jitter: float,
    has_answers: bool,
    n_given_up: int,
) -> Wait | GiveUp | Stop:
    """Decide what a fault means.

    Args:
        fault: What happened.
        n_sent: How often this call was sent, this time included.
        limits: The person's patience.
        jitter: A random number from 0 to 1, so that many waiting calls don't come back at once.
        has_answers: Whether any call of this run was answered.
        n_given_up: How many items of this run ended without an answer before this one.
    """
    match fault.kind:
        case "rate_limited" | "server_error" | "timed_out" | "unreachable" | "broken_body":
            if n_sent <= _count_retries(fault, limits, has_answers=has_answers):
                return Wait(wait_seconds=_build_wait(fault, n_sent, limits=limits, jitter=jitter))
            return GiveUp() if has_answers else Stop(remedy=_build_silence_remedy(fault))
        case "rejected_request":
            is_hopeless = not has_answers and n_given_up >= REJECTIONS_BEFORE_FIRST_ANSWER
            return Stop(remedy=_REJECTED) if is_hopeless else GiveUp()
        case "rejected_settings":
            # Where others were answered, it is about this call: a larger cap after a cut-off answer, for one.
            return GiveUp() if has_answers else Stop(remedy=_REJECTED)
        case "bad_key":
            return Stop(remedy="Check the key: the endpoint does not accept it.")
        case "no_credit" | "quota_exhausted":
            return Stop(remedy="The account has no credit left; top it up, then run again.")
        case "forbidden":
            return Stop(
                remedy="The key may not use this model or endpoint; ask its owner for access."
            )
        case "unknown_model":
            return Stop(
                remedy="Check `llm.model` (of vectors `embed.model`) in the task and the endpoint's `base_url`."
            )
        case _:
            assert_never(fault.kind)


_REJECTED = "It rejected every request so far; check the parameters under `llm` and its `structured_output` level."


def _build_silence_remedy(fault: Fault) -> str:
    """What to do where no call was ever answered: a busy server is there, a silent one may not be."""
    match fault.kind:
        case "rate_limited":
            advice = (
                "It is too busy, or the limit is used up: lower `limits.max_in_flight`, or wait."
            )
        case "timed_out":
            advice = "Check that the model is loaded, or raise `limits.timeout_seconds`."
        case _:
            advice = "Check the endpoint's `base_url` and that the server runs."
    return f"{advice} Answered calls are kept; run again to go on."


def _count_retries(fault: Fault, limits: LimitSettings, *, has_answers: bool) -> int:
    """A server that says "too much" is there and will answer; one that says nothing may not be."""
    is_busy = fault.kind in ("rate_limited", "server_error")
    if has_answers or is_busy:
        return limits.fault_retries
    return min(limits.fault_retries, RETRIES_BEFORE_FIRST_ANSWER)


def _build_wait(fault: Fault, n_sent: int, *, limits: LimitSettings, jitter: float) -> float:
    """Exponential, with up to half of it taken off at random; never shorter than the provider asks."""
    n_doublings = min(n_sent - 1, MAX_DOUBLINGS)
    full = min(limits.backoff_seconds * 2**n_doublings, limits.max_backoff_seconds)
    return max(full * (1 - jitter / 2), fault.retry_after_seconds or 0.0)
