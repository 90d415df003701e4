"""What calls took in all, added up by day, task, step, run or model."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from pydantic import JsonValue

from llm_assets.core.money import render_amount, render_cost

SpendKey = Literal["day", "task", "step", "run", "model"]
SPEND_KEYS: tuple[SpendKey, ...] = get_args(SpendKey)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Exact sums over calls on record, of every purpose."""

    name: str
    """The day in UTC, the task, the step as `<task>/<step>`, the run's id, or endpoint and model."""
    n_answers: int
    n_faults: int
    n_unpriced: int
    """Calls that may have been charged for, nobody knows how much: answers of a model without a known price, and calls that timed out."""
    n_maybe_charged: int
    """Answers, and calls that timed out."""
    prompt_tokens: int
    cached_tokens: int
    """The share of the prompt tokens that the provider read from its cache."""
    completion_tokens: int
    cost_usd: Decimal
    """Of the calls whose price is known."""
    first_at: str
    """When the first of the calls was put on record, in ISO 8601 and UTC; nothing where there is none."""

    @property
    def n_calls(self) -> int:
        """Every request that left."""
        return self.n_answers + self.n_faults

    @property
    def is_cost_known(self) -> bool:
        """Whether the cost is all that these calls cost."""
        return self.n_unpriced == 0

    def render_cost(self) -> str:
        """The cost for people: unknown, or at least so much, where a price is missing."""
        return render_cost(
            self.cost_usd, n_calls=self.n_maybe_charged, n_calls_unpriced=self.n_unpriced
        )

    def build_record(self) -> dict[str, JsonValue]:
        """The sums for scripts; the cost is an exact decimal as text, null where none of it is known."""
        is_unknown = 0 < self.n_maybe_charged <= self.n_unpriced
        return {
            "calls": self.n_calls,
            "answers": self.n_answers,
            "faults": self.n_faults,
            "prompt_tokens": self.prompt_tokens,
            "cached_tokens": self.cached_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": None if is_unknown else render_amount(self.cost_usd),
            "cost_is_known": self.is_cost_known,
            "calls_of_unknown_price": self.n_unpriced,
        }


def add_spends(name: str, parts: Iterable[Spend]) -> Spend:
    """The sum under a name of its own."""
    spends = tuple(parts)
    return Spend(
        name=name,
        n_answers=sum(part.n_answers for part in spends),
        n_faults=sum(part.n_faults for part in spends),
        n_unpriced=sum(part.n_unpriced for part in spends),
        n_maybe_charged=sum(part.n_maybe_charged for part in spends),
        prompt_tokens=sum(part.prompt_tokens for part in spends),
        cached_tokens=sum(part.cached_tokens for part in spends),
        completion_tokens=sum(part.completion_tokens for part in spends),
        cost_usd=sum((part.cost_usd for part in spends), Decimal(0)),
        first_at=min((part.first_at for part in spends), default=""),
    )
