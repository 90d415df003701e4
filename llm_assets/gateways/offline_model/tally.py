"""What an offline endpoint has served, so that a test can hold a ledger against it."""

import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from llm_assets.gateways.offline_model.chat import TokenUsage
from llm_assets.gateways.offline_model.misbehaviour import Trouble


@dataclass(slots=True)
class Tally:
    """Sums since the start; several event loops may serve at once."""

    n_requests: int = 0
    """Requests for completions and embeddings that came in, whatever became of them."""
    n_answered: int = 0
    """Those whose reply is whole, a refused or cut-off completion included."""
    prompt_tokens: int = 0
    """Of the answered ones."""
    completion_tokens: int = 0
    """Of the answered ones."""
    n_in_flight: int = 0
    most_in_flight: int = 0
    troubles: Counter[Trouble] = field(default_factory=Counter["Trouble"])
    """How many requests met which trouble."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def open_request(self) -> Generator[int]:
        """Count a request while it is served; gives how many are served now, this one included."""
        with self._lock:
            self.n_requests += 1
            self.n_in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.n_in_flight)
            n_in_flight = self.n_in_flight
        try:
            yield n_in_flight
        finally:
            with self._lock:
                self.n_in_flight -= 1

    def add_answer(self, usage: TokenUsage) -> None:
        """Count a whole reply."""
        with self._lock:
            self.n_answered += 1
            self.prompt_tokens += usage.prompt_tokens
            self.completion_tokens += usage.completion_tokens

    def add_trouble(self, trouble: Trouble) -> None:
        """Count a request that met trouble."""
        with self._lock:
            self.troubles[trouble] += 1

    def build_record(self) -> dict[str, int | dict[Trouble, int]]:
        """All sums at one moment, as `GET /v1/_tally` gives them."""
        with self._lock:
            return {
                "n_requests": self.n_requests,
                "n_answered": self.n_answered,
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.completion_tokens,
                "n_in_flight": self.n_in_flight,
                "most_in_flight": self.most_in_flight,
                "troubles": dict(self.troubles),
            }
