import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.rate_limit import BURST_SECONDS, SAFETY_SHARE, RateLimit

MINUTE = 60.0


def leave(limit: RateLimit, now: float, *, n_tokens: int = 0) -> float:
    """Let a call leave as soon as it may; gives the moment."""
    while (wait_seconds := limit.find_wait_seconds(now)) > 0:
        now += wait_seconds
    limit.take(now, n_tokens=n_tokens)
    return now


def find_most(left: list[tuple[float, int]]) -> int:
    """The largest sum of amounts that left within a minute."""
    most = total = first = 0
    for moment, amount in left:
        total += amount
        while left[first][0] <= moment - MINUTE:
            total -= left[first][1]
            first += 1
        most = max(most, total)
    return most


gaps = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.4, 3.0, 70.0]), min_size=1, max_size=300)


@given(st.integers(1, 150), gaps)
def test_requests_of_any_minute(requests_per_minute, gaps):
    """No minute, wherever it begins, sees more calls leave than are allowed, however they come."""
    limit = RateLimit(requests_per_minute=requests_per_minute, tokens_per_minute=None)
    now, left = 1000.0, []
    for gap in gaps:
        now = leave(limit, now + gap)
        left.append((now, 1))
    assert find_most(left) <= requests_per_minute


@given(st.integers(1, 10_000), st.lists(st.integers(0, 5000), min_size=1, max_size=200))
def test_tokens_of_any_minute(tokens_per_minute, sizes):
    """No minute sees more tokens leave than are allowed, but for the one call that may go into debt."""
    limit = RateLimit(requests_per_minute=None, tokens_per_minute=tokens_per_minute)
    now, left = 1000.0, []
    for n_tokens in sizes:
        now = leave(limit, now, n_tokens=n_tokens)
        left.append((now, n_tokens))
    assert find_most(left) <= tokens_per_minute + max(sizes) + 1


@pytest.mark.parametrize("requests_per_minute", [7, 60, 600, 6000])
def test_the_allowed_rate_is_used(requests_per_minute):
    """Calls that queue up take more than 95 % of what is allowed."""
    limit = RateLimit(requests_per_minute=requests_per_minute, tokens_per_minute=None)
    now, n_calls = 1000.0, 3 * requests_per_minute
    for _ in range(n_calls):
        now = leave(limit, now)
    assert n_calls / requests_per_minute * MINUTE >= 0.95 * (now - 1000.0)


def test_refunds():
    """Tokens that were estimated and not used let others leave: 5 times too high an estimate costs no time."""
    limit = RateLimit(requests_per_minute=None, tokens_per_minute=600_000)
    now = 1000.0
    for _ in range(1000):
        now = leave(limit, now, n_tokens=500)
        limit.settle(n_tokens_estimated=500, n_tokens_used=100)
    used_seconds = 1000 * 100 / (600_000 * SAFETY_SHARE) * MINUTE
    assert now - 1000.0 == pytest.approx(used_seconds - BURST_SECONDS, abs=0.1)


def test_use_beyond_the_estimate():
    """Tokens that were used and not estimated make the next call wait for them."""
    limit = RateLimit(requests_per_minute=None, tokens_per_minute=6000)
    leave(limit, 1000.0, n_tokens=10)
    limit.settle(n_tokens_estimated=10, n_tokens_used=10 + 98 + 980)
    assert limit.find_wait_seconds(1000.0) == pytest.approx(10, abs=0.2)


def test_a_call_larger_than_the_limit():
    """It leaves, and what it took beyond the limit is waited for by the next one."""
    limit = RateLimit(requests_per_minute=None, tokens_per_minute=1000)
    assert leave(limit, 1000.0, n_tokens=5000) == 1000.0
    next_at = leave(limit, 1000.0, n_tokens=1)
    assert next_at - 1000.0 == pytest.approx(5000 / (1000 * SAFETY_SHARE) * MINUTE, rel=0.01)


def test_pause():
    """A pause holds for everybody, and a shorter one does not end a longer one."""
    limit = RateLimit(requests_per_minute=None, tokens_per_minute=None)
    limit.pause(1000.0, 30.0)
    limit.pause(1001.0, 2.0)
    assert leave(limit, 1002.0) == 1030.0


def test_no_limits():
    """Without limits nobody waits."""
    limit = RateLimit(requests_per_minute=None, tokens_per_minute=None)
    assert [leave(limit, 1000.0, n_tokens=10**9) for _ in range(100)] == [1000.0] * 100


def test_a_limit_that_is_learned_on_the_way():
    """A limit that was announced late holds from then on, and counts the call that left last."""
    limit = RateLimit(requests_per_minute=None, tokens_per_minute=None)
    for _ in range(100):
        leave(limit, 1000.0)
    limit.requests_per_minute = 60
    now = 1000.0
    for _ in range(10):
        now = leave(limit, now)
    assert now - 1000.0 == pytest.approx(11 / SAFETY_SHARE)
