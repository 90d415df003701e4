"""How many calls may be under way at once, found by trying.

The number grows with every answer until the server first refuses calls as too much. What it answered out of that
flight is what it takes, and from then on one place more is tried now and then: longer after every try that failed,
in longer steps after every one that held. A try that fails may cost more than the refused call, because a server
that says `Retry-After` holds up all the others. Where a server refuses some calls whatever their number, fewer
places would help nobody, so a refusal counts only where more than a few of the calls like it were refused.

A call that waits to be sent again keeps its place: freeing it would send another one into the same overload
(measured against a server that takes 20 at once: 76 % of the calls refused, against 1 %).
"""

from dataclasses import dataclass, field

from llm_assets.core.refusal_memory import RefusalMemory

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
FLIGHTS_TO_HOLD = 4
"""A try has held when so many times as many calls were answered as there are places."""
FLIGHTS_TO_REMEMBER = 4
"""Of what happened to earlier calls, about so many times as many as there are places."""
STRAY_SHARE = 1 / 8
"""So few of the calls that left when as many or more were under way may be refused for reasons of their own."""
COSTLY_PAUSE_SECONDS = 0.5
"""A refusal that holds up everything for so long is to be avoided, whatever its reason."""
COSTLY_STRAY_SHARE = 1 / 32


@dataclass(slots=True, kw_only=True)
class AdaptiveConcurrency:
    """The number of places, between 1 and the ceiling that a person set. Times are seconds of one steady clock."""

    ceiling: int
    limit: int
    """The present number of places."""
    _proven: int = 0
    """Places that the server is known to take; 0 as long as nothing was refused."""
    _n_held: int = 0
    """Answers that speak for the present try."""
    _step: int = 1
    _try_seconds: float = FIRST_TRY_SECONDS
    _next_try_at: float = 0.0
    _overloaded_at: float = float("-inf")
    _flight: int = 0
    """Calls that were under way when the overload began."""
    _n_refused: int = 0
    """How many of them were refused."""
    _memory: RefusalMemory = field(default_factory=RefusalMemory)

    def note_answer(self, now: float, *, sent_as: int, n_taken: int) -> None:
        """Grow, but only where the places were really in use: idle ones prove nothing.

        Args:
            now: The present moment.
            sent_as: How many calls were under way when this one left, itself included.
            n_taken: The places that are taken now.
        """
        self._memory.add_answer(sent_as)
        self._memory.fade(FLIGHTS_TO_REMEMBER * self.limit)
        if not self._proven:
            if n_taken + 1 >= self.limit:
                self._set_limit(self.limit + 1)
        elif self.limit > self._proven:
            self._n_held += sent_as >= self.limit
            if self._n_held >= FLIGHTS_TO_HOLD * self.limit:
                self._accept_try(now)
        elif now >= self._next_try_at and sent_as >= self.limit:
            self._set_limit(self._proven + self._step)
            self._n_held = 0

    def note_overload(
        self, now: float, *, sent_at: float, sent_as: int, n_under_way: int, pause_seconds: float
    ) -> None:
        """A call was refused as too much.

        Args:
            now: The present moment.
            sent_at: When the call left.
            sent_as: How many calls were under way when it left, itself included.
            n_under_way: The calls under way now, the refused one included.
            pause_seconds: For how long the server holds up all calls.
        """
        self._memory.add_refusal(sent_as)
        if sent_at <= self._overloaded_at:
            self._n_refused += 1
        elif now - self._overloaded_at < COOL_DOWN_SECONDS:
            return
        else:
            self._overloaded_at, self._flight, self._n_refused = now, n_under_way, 1
        if self._proven and self._is_stray(sent_as, pause_seconds):
            return
        if self.limit > self._proven > 0:
            self._try_seconds = min(2 * self._try_seconds, LONGEST_TRY_SECONDS)
            self._set_limit(self._proven)
        else:
            self._set_limit(min(self.limit, self._flight - self._n_refused))
            self._proven = self.limit
        self._put_off(now, pause_seconds)

    def _is_stray(self, sent_as: int, pause_seconds: float) -> bool:
        is_costly = pause_seconds >= COSTLY_PAUSE_SECONDS
        share = self._memory.find_refused_share(sent_as)
        return share <= (COSTLY_STRAY_SHARE if is_costly else STRAY_SHARE)

    def _accept_try(self, now: float) -> None:
        self._proven = self.limit
        self._step *= 2
        self._try_seconds = FIRST_TRY_SECONDS
        self._next_try_at = now + NEXT_TRY_SECONDS

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
