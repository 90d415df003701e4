"""How many calls may be under way at once, found by trying.

The number grows with every answer until the server first refuses calls as too much. What it answered out of that
flight is what it takes, and from then on one place more is tried now and then: longer after every try that failed,
in longer steps after every one that held. A try that fails may cost more than the refused call, because a server
that says `Retry-After` holds up all the others.

A call that waits to be sent again keeps its place: freeing it would send another one into the same overload
(measured against a server that takes 20 at once: 76 % of the calls refused, against 1 %).
"""

from dataclasses import dataclass

FIRST_PLACES = 8
COOL_DOWN_SECONDS = 1.0
"""Overloads that come closer together than this are one and the same."""
FIRST_TRY_SECONDS = 5.0
"""Between an overload and the next try for one place more; doubled each time that a try fails."""
LONGEST_TRY_SECONDS = 300.0
PAUSES_BETWEEN_TRIES = 25
"""A try that fails holds up everything for a pause; so many of them pass at least before the next try."""
NEXT_TRY_SECONDS = 1.0
"""Between a try that held and the next one."""
FLIGHTS_TO_HOLD = 2
"""A number of places is proven when so many times as many calls were answered and none refused."""


@dataclass(slots=True, kw_only=True)
class AdaptiveConcurrency:
    """The number of places, between 1 and the ceiling that a person set. Times are seconds of one steady clock."""

    ceiling: int
    limit: int
    """The present number of places."""
    _proven: int = 0
    """Places that the server is known to take; 0 as long as nothing was refused."""
    _n_to_hold: int = 0
    """Answers that the present number of places still needs to be proven."""
    _step: int = 1
    _try_seconds: float = FIRST_TRY_SECONDS
    _next_try_at: float = 0.0
    _overloaded_at: float = float("-inf")
    _n_under_way: int = 0
    """Calls that were under way when the overload began."""
    _n_refused: int = 0
    """How many of them were refused."""

    def note_answer(self, now: float, *, n_taken: int) -> None:
        """Grow, but only where the places were really in use: idle ones prove nothing.

        `n_taken` are the places taken, that of the answered call included.
        """
        if n_taken + 1 < self.limit:
            return
        if not self._proven:
            self._set_limit(self.limit + 1)
        elif self._n_to_hold:
            self._count_towards_proof(now)
        elif now >= self._next_try_at and self.limit < self.ceiling:
            self._set_limit(self._proven + self._step)
            self._ask_for_proof()

    def note_overload(
        self, now: float, *, sent_at: float, n_under_way: int, pause_seconds: float
    ) -> None:
        """A call was refused as too much.

        Args:
            now: The present moment.
            sent_at: When the call left.
            n_under_way: The calls under way, the refused one included.
            pause_seconds: For how long the server holds up all calls.
        """
        if sent_at <= self._overloaded_at:
            self._n_refused += 1
        elif now - self._overloaded_at < COOL_DOWN_SECONDS:
            self._ask_for_proof()
            return
        else:
            self._overloaded_at, self._n_under_way, self._n_refused = now, n_under_way, 1
        if self.limit > self._proven > 0:
            self._give_up_try(now, pause_seconds)
        elif self._proven and self._n_to_hold == 0:
            self._ask_for_proof()  # a single one may be refused for reasons of its own
        else:
            self._cut(now, pause_seconds)

    def _count_towards_proof(self, now: float) -> None:
        self._n_to_hold -= 1
        if self._n_to_hold == 0 and self.limit > self._proven:
            self._proven = self.limit
            self._step *= 2
            self._try_seconds = FIRST_TRY_SECONDS
            self._next_try_at = now + NEXT_TRY_SECONDS

    def _give_up_try(self, now: float, pause_seconds: float) -> None:
        self._n_to_hold = 0
        self._set_limit(self._proven)
        self._try_seconds = min(2 * self._try_seconds, LONGEST_TRY_SECONDS)
        self._put_off(now, pause_seconds)

    def _cut(self, now: float, pause_seconds: float) -> None:
        self._set_limit(min(self.limit, self._n_under_way - self._n_refused))
        self._proven = self.limit
        self._ask_for_proof()
        self._put_off(now, pause_seconds)

    def _ask_for_proof(self) -> None:
        self._n_to_hold = FLIGHTS_TO_HOLD * self.limit

    def _put_off(self, now: float, pause_seconds: float) -> None:
        """Be careful with the next try, the more so the more tries have failed and the more each of them costs."""
        self._step = 1
        wait_seconds = max(self._try_seconds, PAUSES_BETWEEN_TRIES * pause_seconds)
        self._next_try_at = now + min(wait_seconds, LONGEST_TRY_SECONDS)

    def _set_limit(self, limit: int) -> None:
        self.limit = min(max(limit, 1), self.ceiling)


def build_concurrency(*, ceiling: int, is_fixed: bool) -> AdaptiveConcurrency:
    """Start at the ceiling where a person set it, else with a few calls."""
    return AdaptiveConcurrency(
        ceiling=ceiling, limit=ceiling if is_fixed else min(FIRST_PLACES, ceiling)
    )
