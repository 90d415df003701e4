"""When the next call may leave under limits of requests and tokens a minute."""

from dataclasses import dataclass, field

SECONDS_PER_MINUTE = 60.0
SAFETY_SHARE = 0.98
"""Of the allowed rate: clocks differ, and a call too many is refused and has to be sent again."""
BURST_SECONDS = 1.0
"""A bucket holds what flows in during this time, so that a minute never starts with a minute's burst."""

NEGLIGIBLE = 1e-6
"""Of a call or a token: after a wait, what is missing by rounding must not take another one too short to pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedLimits:
    """What an endpoint says of its own limits in a reply's headers."""

    requests_per_minute: int | None
    tokens_per_minute: int | None


@dataclass(slots=True, kw_only=True)
class RateLimit:
    """Two leaky buckets, and a pause that a server asked for. Times are seconds of one steady clock.

    A call takes its estimated tokens when it leaves and settles the difference when its usage is known; a call
    larger than the bucket goes into debt, so that it leaves at all and the ones after it wait longer. A call that
    brought no answer keeps what it took: most servers count it, too.
    """

    requests_per_minute: int | None
    tokens_per_minute: int | None
    _requests: float = field(default=0.0, init=False)
    """What may leave now; negative while in debt."""
    _tokens: float = field(default=0.0, init=False)
    _updated_at: float = field(default=0.0, init=False)
    _paused_until: float = field(default=0.0, init=False)

    def find_wait_seconds(self, now: float) -> float:
        """How long the next call has to wait; 0 where it may leave."""
        self._refill(now)
        return max(
            self._paused_until - now,
            _find_gap(self._requests, 1.0, self.requests_per_minute),
            _find_gap(self._tokens, 0.0, self.tokens_per_minute),
            0.0,
        )

    def take(self, now: float, *, n_tokens: int) -> None:
        """Let a call leave."""
        self._refill(now)
        self._requests -= 1.0
        self._tokens -= n_tokens

    def settle(self, *, n_tokens_estimated: int, n_tokens_used: int) -> None:
        """Give back what a call did not use, or take what it used beyond its estimate."""
        self._tokens += n_tokens_estimated - n_tokens_used

    def pause(self, now: float, wait_seconds: float) -> None:
        """Let nothing leave for this long, because the server said so."""
        self._paused_until = max(self._paused_until, now + wait_seconds)

    def _refill(self, now: float) -> None:
        elapsed_seconds = max(0.0, now - self._updated_at)
        self._updated_at = max(now, self._updated_at)
        self._requests = _fill(self._requests, self.requests_per_minute, elapsed_seconds)
        self._tokens = _fill(self._tokens, self.tokens_per_minute, elapsed_seconds)


def _find_rate(per_minute: int) -> float:
    return per_minute * SAFETY_SHARE / SECONDS_PER_MINUTE


def _fill(level: float, per_minute: int | None, elapsed_seconds: float) -> float:
    if per_minute is None:
        return 0.0
    rate = _find_rate(per_minute)
    return min(max(rate * BURST_SECONDS, 1.0), level + rate * elapsed_seconds)


def _find_gap(level: float, wanted: float, per_minute: int | None) -> float:
    """The seconds until the bucket holds so much; a bucket without a limit always does."""
    missing = wanted - level
    if per_minute is None or missing < NEGLIGIBLE:
        return 0.0
    return missing / _find_rate(per_minute)
