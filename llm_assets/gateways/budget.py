"""How a run keeps within its caps: every call's worst case is set aside before it is sent, and settled after."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from llm_assets.config.task import BudgetSettings
from llm_assets.core.budget import Amount, OverBudget, RunAccount, bound_usage
from llm_assets.core.calls import Answer, CallRequest, Fault, Usage
from llm_assets.errors import ConfigError
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.price_catalog import ComputeCost

CALLS_PER_RESERVATION = 32
"""A reservation of the day's cap covers so many calls, so that not each of them takes a transaction."""
RESERVATION_HOURS = 1


class Budget(Protocol):
    """Asked before each call and told after it."""

    async def reserve(
        self, request: CallRequest, compute_cost: ComputeCost, /
    ) -> Amount | OverBudget:
        """Set the worst case of a call aside, or say which cap it might pass."""
        ...

    def settle(self, worst: Amount, result: Answer | Fault, /) -> None:
        """Put what the call took in place of its worst case, once it is on record."""
        ...


class NoBudget:
    """For tasks without a cap."""

    async def reserve(self, _request: CallRequest, _compute_cost: ComputeCost, /) -> Amount:
        """Nothing has to be set aside."""
        return NOTHING

    def settle(self, _worst: Amount, _result: Answer | Fault, /) -> None:
        """Nothing was set aside."""


NOTHING = Amount(cost_usd=Decimal(0), n_tokens=0)


class CappedBudget:
    """Keeps one run within its own caps, and within the day's together with all other runs of the ledger."""

    def __init__(self, caps: BudgetSettings, *, ledger: Ledger, run_id: str, clock: Clock) -> None:
        self._caps = caps
        self._account = RunAccount(caps=caps)
        self._ledger = ledger
        self._run_id = run_id
        self._clock = clock
        self._lock = asyncio.Lock()
        self._reserved_usd = Decimal(0)
        """What of the day's cap is set aside for calls under way and to come."""
        self._passed: OverBudget | None = None

    async def reserve(
        self, request: CallRequest, compute_cost: ComputeCost, /
    ) -> Amount | OverBudget:
        """Set the worst case of a call aside; after the first refusal, every later call is refused, too."""
        worst = _find_worst_case(request, compute_cost, self._caps)
        async with self._lock:
            if self._passed is None:
                self._passed = self._account.find_passed_cap(worst)
            if self._passed is None and not await self._fits_in_day(worst.cost_usd):
                cap = f"{self._caps.per_day_usd} USD for a day"
                self._passed = OverBudget(reason=f"The cap of {cap} is reached.")
            if self._passed is not None:
                return self._passed
            self._account.hold(worst)
        return worst

    def settle(self, worst: Amount, result: Answer | Fault, /) -> None:
        """Put what the call took in place of its worst case.

        A call that timed out may have been charged for, nobody knows how much: its worst case stays spent.
        """
        used = (
            worst
            if isinstance(result, Fault) and result.kind == "timed_out"
            else _read_used(result)
        )
        self._account.settle(worst, used)
        self._reserved_usd -= used.cost_usd

    def release(self) -> None:
        """Give back what the run has set aside of the day's cap."""
        if self._caps.per_day_usd is not None:
            self._ledger.release(run_id=self._run_id)

    async def _fits_in_day(self, worst_usd: Decimal) -> bool:
        cap_usd = self._caps.per_day_usd
        held_usd = self._account.held_usd
        if cap_usd is None or held_usd + worst_usd <= self._reserved_usd:
            return True
        for n_calls in (CALLS_PER_RESERVATION, 1):
            wanted_usd = held_usd + worst_usd * n_calls
            if await asyncio.to_thread(self._try_to_reserve, wanted_usd, cap_usd):
                self._reserved_usd = wanted_usd
                return True
        return False

    def _try_to_reserve(self, reserved_usd: Decimal, cap_usd: Decimal) -> bool:
        now = self._clock.get_now()
        return self._ledger.try_to_reserve(
            run_id=self._run_id,
            reserved_usd=reserved_usd,
            cap_usd=cap_usd,
            now=now,
            expires_at=now + timedelta(hours=RESERVATION_HOURS),
        )


def check_budget(caps: BudgetSettings, *, compute_cost: ComputeCost, has_output_cap: bool) -> None:
    """Make sure before the first call that the caps can be kept; `ConfigError` says what is missing."""
    if not caps.is_capped:
        return
    if not has_output_cap:
        raise ConfigError(
            "A `budget` needs to know how long an answer can get; nothing was sent.",
            remedy="Set `llm.max_output_tokens`, and `judge.llm.max_output_tokens` where the judge has its own model.",
        )
    needs_price = caps.per_run_usd is not None or caps.per_day_usd is not None
    if needs_price and compute_cost(Usage(prompt_tokens=1, completion_tokens=1)) is None:
        raise ConfigError(
            "A `budget` in dollars needs a price, and this model has none that is known; nothing was sent.",
            remedy="Set `llm.price`, or cap the tokens with `budget.per_run_tokens`.",
        )


def _find_worst_case(
    request: CallRequest, compute_cost: ComputeCost, caps: BudgetSettings
) -> Amount:
    usage = bound_usage(request, max_output_tokens=request.max_output_tokens or 0)
    needs_price = caps.per_run_usd is not None or caps.per_day_usd is not None
    cost_usd = compute_cost(usage) if needs_price else None
    return Amount(
        cost_usd=cost_usd or Decimal(0), n_tokens=usage.prompt_tokens + usage.completion_tokens
    )


def _read_used(result: Answer | Fault) -> Amount:
    if isinstance(result, Fault):
        return NOTHING
    usage = result.usage
    return Amount(
        cost_usd=result.cost_usd or Decimal(0),
        n_tokens=usage.prompt_tokens + usage.completion_tokens,
    )
