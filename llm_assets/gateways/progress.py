"""How far a run is and what it took so far, in all and step by step."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from llm_assets.core.calls import Answer, CallKind, Fault, FaultKind
from llm_assets.core.ids import CallKey, StepName


@dataclass(slots=True, kw_only=True)
class StepProgress:
    """One step's share of a run."""

    n_done: int = 0
    """Items that are at their end there."""
    n_sent: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    cost_is_known: bool = True


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a run is. Changes while it goes on; whoever shows it reads it now and then."""

    n_to_run: int
    n_done: int = 0
    n_in_flight: int = 0
    n_sent: int = 0
    n_answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    cost_is_known: bool = True
    waiting_for: str | None = None
    """What holds calls back, such as a rate limit."""
    is_over: bool = False
    answered: set[CallKind] = field(default_factory=set[CallKind])
    """The kinds of which a call was answered: the judge's endpoint can be wrong where the other is right."""
    given_up: Counter[CallKind] = field(default_factory=Counter)
    """Items that ended without an answer, by the kind of call that brought none."""
    found: set[CallKey] = field(default_factory=set[CallKey])
    """Answers on record that were met on the way: which calls a later step makes is not known before."""
    faults: Counter[FaultKind] = field(default_factory=Counter)
    latencies_seconds: list[float] = field(default_factory=list)
    steps: dict[StepName, StepProgress] = field(default_factory=dict[StepName, StepProgress])
    """In the order in which they run; none where the task names no steps."""

    def note_wait(self, reason: str) -> None:
        """Say what holds calls back, until the next answer comes."""
        self.waiting_for = reason

    def count_sent(self, kind: CallKind) -> None:
        """Take a call that leaves into the account."""
        self.n_sent += 1
        if kind.step is not None:
            self.steps[kind.step].n_sent += 1

    def count(self, result: Answer | Fault, kind: CallKind) -> None:
        """Take what came of a call into the account."""
        if isinstance(result, Fault):
            self.faults[result.kind] += 1
            return
        self.waiting_for = None
        self.n_answers += 1
        self.answered.add(kind)
        self.latencies_seconds.append(result.latency_seconds)
        self.cached_tokens += result.usage.cached_tokens
        _add(self, result)
        if kind.step is not None:
            _add(self.steps[kind.step], result)


def _add(account: Progress | StepProgress, answer: Answer) -> None:
    account.prompt_tokens += answer.usage.prompt_tokens
    account.completion_tokens += answer.usage.completion_tokens
    account.cost_usd += answer.cost_usd or Decimal(0)
    account.cost_is_known &= answer.cost_usd is not None
