"""How often calls were refused lately, by how many of them were under way when they left."""

from collections import defaultdict
from dataclasses import dataclass, field

FORGOTTEN = 0.25
"""A count that has been halved so often stands for nothing any more."""


@dataclass(slots=True)
class RefusalMemory:
    """Counts of answered and of refused calls; the longer ago, the less they count."""

    _answered: dict[int, float] = field(default_factory=lambda: defaultdict[int, float](float))
    """By the number of calls that were under way when they left, themselves included."""
    _refused: dict[int, float] = field(default_factory=lambda: defaultdict[int, float](float))
    _n_calls: float = 0.0

    def add_answer(self, n_under_way: int) -> None:
        """Remember a call that was answered."""
        self._answered[n_under_way] += 1
        self._n_calls += 1

    def add_refusal(self, n_under_way: int) -> None:
        """Remember a call that was refused."""
        self._refused[n_under_way] += 1
        self._n_calls += 1

    def fade(self, n_remembered: int) -> None:
        """Halve everything where there is more than this, so that a server that has changed is noticed."""
        if self._n_calls > n_remembered:
            self._answered = _halve(self._answered)
            self._refused = _halve(self._refused)
            self._n_calls = sum(self._answered.values()) + sum(self._refused.values())

    def find_refused_share(self, n_under_way: int) -> float:
        """Of the calls that left when so many or more were under way; 0 where there were none."""
        n_answered = sum(n for level, n in self._answered.items() if level >= n_under_way)
        n_refused = sum(n for level, n in self._refused.items() if level >= n_under_way)
        return n_refused / (n_answered + n_refused) if n_refused else 0.0


def _halve(counts: dict[int, float]) -> dict[int, float]:
    halves = {level: n / 2 for level, n in counts.items() if n / 2 >= FORGOTTEN}
    return defaultdict(float, halves)
