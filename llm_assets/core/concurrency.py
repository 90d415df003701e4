"""How many calls may be under way at once, found by trying.

Grows with every answer until the server first says that it is too much, then settles a little below that and
tries for more only slowly. A call that waits to be sent again keeps its place: freeing it would send another one
into the same overload (measured against a server that takes 20 at once: 76 % of the calls refused, against 1 %).
"""

from dataclasses import dataclass

CUT = 0.9
"""What is left after an overload: most of it, since the server served all but the last few calls."""
GROWTH_AFTER_OVERLOAD = 0.1
"""Places gained by a full round of answers, once the server's limit is known."""
COOL_DOWN_SECONDS = 1.0
"""Overloads that come closer together than this are one and the same."""


@dataclass(slots=True, kw_only=True)
class AdaptiveConcurrency:
    """The number of places, between 1 and the ceiling that a person set."""

    ceiling: int
    limit: float
    """The present number of places; its fraction is the part of the next one."""
    has_met_overload: bool = False
    cooling_until: float = 0.0

    def note_answer(self, *, n_in_flight: int) -> None:
        """Grow, but only where the places were really in use: idle ones prove nothing."""
        if n_in_flight + 1 < int(self.limit):
            return
        growth = GROWTH_AFTER_OVERLOAD / self.limit if self.has_met_overload else 1.0
        self.limit = min(float(self.ceiling), self.limit + growth)

    def note_overload(self, now: float, *, n_in_flight: int) -> None:
        """Cut once for each time the server is overloaded; `n_in_flight` includes the call that was too much."""
        if now < self.cooling_until:
            return
        self.has_met_overload = True
        self.cooling_until = now + COOL_DOWN_SECONDS
        fitting = min(self.limit, float(n_in_flight - 1))
        self.limit = max(1.0, fitting if fitting < self.limit else self.limit * CUT)


def build_concurrency(*, ceiling: int, is_fixed: bool) -> AdaptiveConcurrency:
    """Start at the ceiling where a person set it, else with a few calls."""
    return AdaptiveConcurrency(
        ceiling=ceiling, limit=float(ceiling if is_fixed else min(8, ceiling))
    )
