"""How a run keeps within its caps: every call's worst case is set aside before it is sent, and settled after."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from llm_assets.config.task import BudgetSettings
from llm_assets.core.budget import (
    NOTHING,
    Amount,
    OverBudget,
    RunAccount,
    bound_usage,
    build_over_budget,
    render_warning,
)
from llm_assets.core.calls import Answer, CallRequest, Fault, Unsendable, Usage
from llm_assets.errors import ConfigError
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.price_catalog import ComputeCost

CALLS_PER_RESERVATION = 32
"""A reservation of the day's cap covers so many calls at least, so that not each of them takes a transaction."""
SHARE_PER_RESERVATION = Decimal("0.0625")
"""And so much of what is free: each one adds up the day, which takes the longer the more calls it has had."""
RESERVATION_LIFETIME = timedelta(hours=1)
"""What a killed run had set aside is free again after it; a run that goes on renews its own in time."""
OTHERS_POLL_SECONDS = 0.5
OTHERS_PATIENCE_SECONDS = 60.0
"""How long a run waits for what other runs have set aside while nothing of it is spent or given back: longer than
most calls take, and much shorter than a killed run's reservation lasts."""


class Budget(Protocol):
    """Asked before each call and told after it."""

    async def reserve(
        self, request: CallRequest, compute_cost: ComputeCost, /
    ) -> Amount | OverBudget:
        """Set the worst case of a call aside, or say which cap it might pass."""
        ...

    def settle(self, worst: Amount, result: Answer | Fault | Unsendable, /) -> None:
        """Put what the call took in place of its worst case, once it is on record."""
        ...


class NoBudget:
    """For tasks without a cap."""

    async def reserve(self, _request: CallRequest, _compute_cost: ComputeCost, /) -> Amount:
        """Nothing has to be set aside."""
        return NOTHING

    def settle(self, _worst: Amount, _result: Answer | Fault | Unsendable, /) -> None:
        """Nothing was set aside."""


class CappedBudget:
    """Keeps one run within its own caps, and within the day's together with all other runs of the ledger."""

    def __init__(
        self,
        caps: BudgetSettings,
        *,
        ledger: Ledger,
        run_id: str,
        clock: Clock,
        warn: Callable[[str], None],
        note_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._caps = caps
        self._account = RunAccount(caps=caps)
        self._ledger = ledger
        self._run_id = run_id
        self._clock = clock
        self._warn = warn
        self._note_wait = note_wait
        self._has_warned = False
        self._lock = asyncio.Lock()
        self._has_settled = asyncio.Event()
        self._reserved_usd = Decimal(0)
        """What of the day's cap is set aside for calls under way and to come."""
        self._lost_usd = Decimal(0)
        """The worst cases of calls that may have been charged for, though no answer came."""
        self._renew_at: datetime | None = None
        self._free_usd = Decimal(0)
        """What of the day's cap was free when the ledger was last asked."""
        self._unspent_usd = Decimal(0)
        """What of it nobody had spent then: what is free, and what other runs have set aside."""
        self._is_day_full = False
        """Whether a call found no room in the day; then only those that are small enough ask again."""

    async def reserve(
        self, request: CallRequest, compute_cost: ComputeCost, /
    ) -> Amount | OverBudget:
        """Set the worst case of a call aside.

        Where only the worst cases of calls under way stand in its way, this run's own or those of others, it waits
        for what they really take.
        """
        worst = _find_worst_case(request, compute_cost, self._caps)
        async with self._lock:
            while True:
                has_room = self._account.fits(worst)
                if has_room and await self._fits_in_day(worst.cost_usd):
                    self._account.hold(worst)
                    return worst
                passed = (
                    self._find_passed_day(worst)
                    if has_room
                    else self._account.find_passed_cap(worst)
                )
                if passed is not None:
                    return passed
                if self._account.held_usd > 0 or not has_room:
                    self._has_settled.clear()
                    await self._has_settled.wait()
                elif not await self._wait_for_others():
                    return self._build_day_full()

    def settle(self, worst: Amount, result: Answer | Fault | Unsendable, /) -> None:
        """Put what the call took in place of its worst case.

        A call that timed out may have been charged for, nobody knows how much: its worst case stays spent.
        """
        used = _read_used(result)
        if isinstance(result, Fault) and result.kind == "timed_out":
            used = worst
            self._lost_usd += worst.cost_usd
        self._account.settle(worst, used)
        self._reserved_usd -= used.cost_usd
        self._has_settled.set()
        self._warn_once()

    def release(self) -> None:
        """Give back what the run has set aside of the day's cap, but for what may have been charged."""
        if self._caps.per_day_usd is not None:
            self._ledger.release(
                run_id=self._run_id, kept_usd=self._lost_usd, now=self._clock.get_now()
            )

    async def _fits_in_day(self, worst_usd: Decimal) -> bool:
        cap_usd = self._caps.per_day_usd
        if cap_usd is None:
            return True
        if self._is_covered(worst_usd):
            return True
        if self._is_day_full and not self._could_fit(worst_usd):
            return False
        stock_usd = max(worst_usd * CALLS_PER_RESERVATION, self._free_usd * SHARE_PER_RESERVATION)
        for more_usd in (stock_usd, worst_usd):
            wanted_usd = self._account.held_usd + more_usd
            if await asyncio.to_thread(self._try_to_reserve, wanted_usd, cap_usd):
                return True
        return False

    def _is_covered(self, worst_usd: Decimal) -> bool:
        """Whether the reservation is large enough, and young enough for others to see it all the while."""
        is_fresh = self._renew_at is not None and self._clock.get_now() < self._renew_at
        return is_fresh and self._account.held_usd + worst_usd <= self._reserved_usd

    def _try_to_reserve(self, wanted_usd: Decimal, cap_usd: Decimal) -> bool:
        now = self._clock.get_now()
        reservation = self._ledger.try_to_reserve(
            run_id=self._run_id,
            reserved_usd=self._lost_usd + wanted_usd,
            cap_usd=cap_usd,
            now=now,
            expires_at=now + RESERVATION_LIFETIME,
        )
        self._account.day_usd = reservation.spent_usd
        self._free_usd = reservation.free_usd
        self._unspent_usd = cap_usd - reservation.spent_usd
        if reservation.is_granted:
            self._reserved_usd = wanted_usd
            self._renew_at = now + RESERVATION_LIFETIME / 2
        return reservation.is_granted

    def _find_passed_day(self, worst: Amount) -> OverBudget | None:
        """The day's cap, unless the calls under way may leave room, those of other runs included."""
        known_full = self._is_day_full and not self._could_fit(worst.cost_usd)
        if not known_full and worst.cost_usd <= self._unspent_usd - self._lost_usd:
            return None
        return self._build_day_full()

    def _build_day_full(self) -> OverBudget:
        self._is_day_full = True
        return build_over_budget(f"{self._caps.per_day_usd} USD for a day")

    async def _wait_for_others(self) -> bool:
        """Wait until other runs have spent or given back some of what they set aside; whether they have.

        Meanwhile this run holds nothing itself, so that two of them never wait for each other.
        """
        self._note_wait("other runs' share of the day's budget")
        cap_usd = self._caps.per_day_usd or Decimal(0)
        await asyncio.to_thread(self._try_to_reserve, Decimal(0), cap_usd)
        seen = (self._free_usd, self._unspent_usd)
        give_up_at = self._clock.get_monotonic_seconds() + OTHERS_PATIENCE_SECONDS
        while self._clock.get_monotonic_seconds() < give_up_at:
            await self._clock.wait(OTHERS_POLL_SECONDS)
            await asyncio.to_thread(self._try_to_reserve, Decimal(0), cap_usd)
            if (self._free_usd, self._unspent_usd) != seen:
                return True
        return False

    def _could_fit(self, worst_usd: Decimal) -> bool:
        """Whether a call had room, going by the ledger's last word, if those under way cost nothing."""
        return worst_usd <= self._free_usd - self._lost_usd

    def _warn_once(self) -> None:
        use = None if self._has_warned else self._account.find_tightest_use()
        if use is not None:
            self._has_warned = True
            self._warn(render_warning(use))


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


def _read_used(result: Answer | Fault | Unsendable) -> Amount:
    if not isinstance(result, Answer):
        return NOTHING
    usage = result.usage
    return Amount(
        cost_usd=result.cost_usd or Decimal(0),
        n_tokens=usage.prompt_tokens + usage.completion_tokens,
    )
