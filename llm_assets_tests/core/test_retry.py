import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.task import LimitSettings
from llm_assets.core.calls import Fault
from llm_assets.core.retry import (
    REJECTIONS_BEFORE_FIRST_ANSWER,
    RETRIES_BEFORE_FIRST_ANSWER,
    GiveUp,
    Stop,
    Wait,
    decide_retry,
)

LIMITS = LimitSettings(fault_retries=4, backoff_seconds=1, max_backoff_seconds=60)
PASSING = ("rate_limited", "server_error", "timed_out", "unreachable", "broken_body")
DOOMED = ("bad_key", "no_credit", "quota_exhausted", "forbidden", "unknown_model")


def decide(
    kind,
    *,
    n_sent=1,
    has_answers=True,
    n_given_up=0,
    jitter=0.0,
    retry_after=None,
    limits=LIMITS,
):
    return decide_retry(
        Fault(kind=kind, message="It broke.", retry_after_seconds=retry_after),
        n_sent=n_sent,
        limits=limits,
        jitter=jitter,
        has_answers=has_answers,
        n_given_up=n_given_up,
    )


@pytest.mark.parametrize("kind", PASSING)
def test_passing_fault_is_sent_again(kind):
    """What passes is tried again as often as a person allows; then the item alone is given up."""
    decided = [decide(kind, n_sent=n_sent) for n_sent in range(1, 7)]
    assert [type(decision) for decision in decided] == [Wait] * 4 + [GiveUp] * 2


@pytest.mark.parametrize(
    ("kind", "n_waits"),
    [
        ("rate_limited", 4),
        ("server_error", 4),
        ("timed_out", RETRIES_BEFORE_FIRST_ANSWER),
        ("unreachable", RETRIES_BEFORE_FIRST_ANSWER),
        ("broken_body", RETRIES_BEFORE_FIRST_ANSWER),
    ],
)
def test_silent_endpoint_stops_the_run(kind, n_waits):
    """An address that never answered stops early; a server that says it is in trouble gets all the patience."""
    decided = [decide(kind, n_sent=n_sent, has_answers=False) for n_sent in range(1, 6)]
    assert [type(decision) for decision in decided] == [Wait] * n_waits + [Stop] * (5 - n_waits)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("rate_limited", "max_in_flight"),
        ("timed_out", "timeout_seconds"),
        ("unreachable", "base_url"),
        ("server_error", "base_url"),
        ("broken_body", "base_url"),
    ],
)
def test_remedy_of_silence(kind, word):
    """What to look at depends on how the endpoint kept silent."""
    decided = decide(kind, n_sent=9, has_answers=False)
    assert isinstance(decided, Stop)
    assert word in decided.remedy


@pytest.mark.parametrize("kind", DOOMED)
@pytest.mark.parametrize("has_answers", [True, False])
def test_fault_that_dooms_all_stops_at_once(kind, has_answers):
    """A bad key, an empty account or an unknown model is told once and never sent again."""
    decided = decide(kind, has_answers=has_answers)
    assert isinstance(decided, Stop)
    assert decided.remedy.endswith(".")


@pytest.mark.parametrize(
    ("kind", "has_answers", "n_given_up", "expected"),
    [
        ("rejected_settings", False, 0, Stop),
        ("rejected_settings", True, 0, GiveUp),
        ("rejected_request", False, 0, GiveUp),
        ("rejected_request", True, 0, GiveUp),
        ("rejected_request", False, REJECTIONS_BEFORE_FIRST_ANSWER - 1, GiveUp),
        ("rejected_request", False, REJECTIONS_BEFORE_FIRST_ANSWER, Stop),
        ("rejected_request", True, 10**6, GiveUp),
    ],
)
def test_rejections(kind, has_answers, n_given_up, expected):
    """A rejection is never sent again; it stops the run only where nothing at all was answered."""
    decided = decide(kind, has_answers=has_answers, n_given_up=n_given_up)
    assert isinstance(decided, expected)


def test_no_retries():
    """Patience of 0 sends each call once."""
    assert isinstance(decide("server_error", limits=LimitSettings(fault_retries=0)), GiveUp)


@pytest.mark.parametrize(
    ("n_sent", "retry_after", "wait_seconds"),
    [
        (1, None, 1.0),
        (2, None, 2.0),
        (3, None, 4.0),
        (4, None, 8.0),
        (1, 0.0, 1.0),
        (1, 0.5, 1.0),
        (1, 30.0, 30.0),
        (4, 7.0, 8.0),
        (1, 600.0, 600.0),
    ],
)
def test_waits(n_sent, retry_after, wait_seconds):
    """Waits double; a provider that asks for a longer one gets it, beyond any maximum of ours."""
    decided = decide("rate_limited", n_sent=n_sent, retry_after=retry_after)
    assert decided == Wait(wait_seconds=wait_seconds)


@given(
    st.integers(1, 5000),
    st.floats(0, 1),
    st.floats(1e-3, 1e3),
    st.floats(1e-3, 1e6),
    st.none() | st.floats(0, 1e5),
)
def test_waits_are_bounded(n_sent, jitter, backoff, maximum, retry_after):
    """Chance takes off at most half, nothing but the provider passes the maximum, and nobody waits less than asked."""
    limits = LimitSettings(
        fault_retries=10**6, backoff_seconds=backoff, max_backoff_seconds=maximum
    )

    def wait(n_sent, jitter):
        decided = decide(
            "server_error", n_sent=n_sent, jitter=jitter, retry_after=retry_after, limits=limits
        )
        assert isinstance(decided, Wait)
        return decided.wait_seconds

    full = wait(n_sent, 0.0)
    assert full / 2 <= wait(n_sent, jitter) <= full
    assert full <= max(maximum, retry_after or 0.0)
    assert wait(n_sent, jitter) >= (retry_after or 0.0)
    assert wait(n_sent + 1, jitter) >= wait(n_sent, jitter)
