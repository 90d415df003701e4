"""What a call can cost at most, and whether that still fits under the caps of a run."""

from dataclasses import dataclass
from decimal import Decimal

from llm_assets.config.task import BudgetSettings
from llm_assets.core.calls import CallRequest, Usage
from llm_assets.core.fingerprint import render_json

TOKENS_PER_TURN = 16
"""More than any provider adds for the frame of a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Dollars and tokens."""

    cost_usd: Decimal
    n_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverBudget:
    """A call that was not sent because it might have passed a cap."""

    reason: str


def bound_usage(request: CallRequest, *, max_output_tokens: int) -> Usage:
    """The most tokens a call can be charged for.

    A token is at least one byte, so the bytes of a prompt are a bound that no tokenizer passes. It is three or
    four times too high, and is held only while the call is under way.
    """
    n_bytes = sum(
        len(message.content.encode("utf-8", "replace")) + TOKENS_PER_TURN
        for message in request.messages
    )
    schema = request.settings.response_format
    n_schema_bytes = len(render_json(schema).encode("utf-8", "replace")) if schema else 0
    return Usage(prompt_tokens=n_bytes + n_schema_bytes, completion_tokens=max_output_tokens)


@dataclass(slots=True, kw_only=True)
class RunAccount:
    """What a run has spent and what its calls under way may still cost."""

    caps: BudgetSettings
    spent_usd: Decimal = Decimal(0)
    held_usd: Decimal = Decimal(0)
    """The worst cases of the calls under way."""
    spent_tokens: int = 0
    held_tokens: int = 0

    def find_passed_cap(self, worst: Amount) -> OverBudget | None:
        """The cap of this run that the call might pass, if there is one."""
        caps = self.caps
        usd = self.spent_usd + self.held_usd + worst.cost_usd
        if caps.per_run_usd is not None and usd > caps.per_run_usd:
            return OverBudget(reason=f"The cap of {caps.per_run_usd} USD for a run is reached.")
        tokens = self.spent_tokens + self.held_tokens + worst.n_tokens
        if caps.per_run_tokens is not None and tokens > caps.per_run_tokens:
            return OverBudget(
                reason=f"The cap of {caps.per_run_tokens} tokens for a run is reached."
            )
        return None

    def hold(self, worst: Amount) -> None:
        """Set the worst case of a call aside before it is sent."""
        self.held_usd += worst.cost_usd
        self.held_tokens += worst.n_tokens

    def settle(self, worst: Amount, used: Amount) -> None:
        """Put what a call really took in place of its worst case."""
        self.held_usd -= worst.cost_usd
        self.held_tokens -= worst.n_tokens
        self.spent_usd += used.cost_usd
        self.spent_tokens += used.n_tokens

    def find_share(self) -> float:
        """How much of the tightest cap of this run is spent, from 0 to 1."""
        shares = [0.0]
        if self.caps.per_run_usd is not None:
            shares.append(float(self.spent_usd / self.caps.per_run_usd))
        if self.caps.per_run_tokens is not None:
            shares.append(self.spent_tokens / self.caps.per_run_tokens)
        return max(shares)
