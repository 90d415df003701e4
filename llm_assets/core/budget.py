"""What a call can cost at most, and whether that still fits under the caps of a run."""

from dataclasses import dataclass
from decimal import Decimal

from llm_assets.config.task import BudgetSettings
from llm_assets.core.calls import CallRequest, Usage
from llm_assets.core.fingerprint import render_json
from llm_assets.core.message_tokens import bound_image_tokens

TOKENS_PER_TURN = 16
"""More than any provider adds for the frame of a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Dollars and tokens."""

    cost_usd: Decimal
    n_tokens: int


NOTHING = Amount(cost_usd=Decimal(0), n_tokens=0)


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
    n_image_tokens = sum(
        bound_image_tokens(part) for message in request.messages for part in message.images
    )
    schema = request.settings.response_format
    n_schema_bytes = len(render_json(schema).encode("utf-8", "replace")) if schema else 0
    return Usage(
        prompt_tokens=n_bytes + n_image_tokens + n_schema_bytes, completion_tokens=max_output_tokens
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CapUse:
    """How much of a cap is spent."""

    cap: str
    """Such as `5 USD for a day`."""
    share: float
    """From 0 to 1."""


def render_warning(use: CapUse) -> str:
    """What a person is told before a cap is reached."""
    return f"{use.share:.0%} of the budget of {use.cap} is spent."


@dataclass(slots=True, kw_only=True)
class RunAccount:
    """What a run has spent and what its calls under way may still cost."""

    caps: BudgetSettings
    spent_usd: Decimal = Decimal(0)
    held_usd: Decimal = Decimal(0)
    """The worst cases of the calls under way."""
    spent_tokens: int = 0
    held_tokens: int = 0
    day_usd: Decimal = Decimal(0)
    """What all runs together had spent of the day's cap when the ledger was last asked, and this run since."""

    def fits(self, worst: Amount) -> bool:
        """Whether the caps of this run hold even if this call and all those under way cost the most they can."""
        held = Amount(cost_usd=self.held_usd, n_tokens=self.held_tokens)
        return self._find_passed(worst, held) is None

    def find_passed_cap(self, worst: Amount) -> OverBudget | None:
        """The cap of this run that the call might pass even if all those under way cost nothing."""
        return self._find_passed(worst, NOTHING)

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
        self.day_usd += used.cost_usd

    def find_tightest_use(self) -> CapUse | None:
        """The cap of which the largest share is spent; None where that share is no reason to warn."""
        uses = [use for use in self._list_uses() if use.share >= self.caps.warn_at]
        return max(uses, key=lambda use: use.share, default=None)

    def _find_passed(self, worst: Amount, held: Amount) -> OverBudget | None:
        caps = self.caps
        usd = self.spent_usd + held.cost_usd + worst.cost_usd
        if caps.per_run_usd is not None and usd > caps.per_run_usd:
            return build_over_budget(f"{caps.per_run_usd} USD for a run")
        tokens = self.spent_tokens + held.n_tokens + worst.n_tokens
        if caps.per_run_tokens is not None and tokens > caps.per_run_tokens:
            return build_over_budget(f"{caps.per_run_tokens} tokens for a run")
        return None

    def _list_uses(self) -> list[CapUse]:
        caps = self.caps
        uses: list[CapUse] = []
        if caps.per_run_usd is not None:
            share = float(self.spent_usd / caps.per_run_usd)
            uses.append(CapUse(cap=f"{caps.per_run_usd} USD for a run", share=share))
        if caps.per_day_usd is not None:
            share = float(self.day_usd / caps.per_day_usd)
            uses.append(CapUse(cap=f"{caps.per_day_usd} USD for a day", share=share))
        if caps.per_run_tokens is not None:
            share = self.spent_tokens / caps.per_run_tokens
            uses.append(CapUse(cap=f"{caps.per_run_tokens} tokens for a run", share=share))
        return uses


def build_over_budget(cap: str) -> OverBudget:
    """What an item is told that a cap, such as `5 USD for a day`, leaves out."""
    return OverBudget(reason=f"The budget of {cap} has no room for the call; a later run sends it.")
