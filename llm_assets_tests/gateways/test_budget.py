import asyncio
from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.task import BudgetSettings
from llm_assets.core.budget import Amount, OverBudget
from llm_assets.core.calls import CallRequest, Usage
from llm_assets.errors import ConfigError
from llm_assets.gateways.budget import (
    OTHERS_PATIENCE_SECONDS,
    RESERVATION_LIFETIME,
    CappedBudget,
    check_budget,
)
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.ledger.ledger import Ledger, open_ledger
from llm_assets_tests.fakes import (
    FakeClock,
    build_answer,
    build_fault,
    build_record,
    build_request,
)
from llm_assets_tests.virtual_time import VirtualClock, run_virtually

TOKEN_USD = Decimal("0.01")
"""What every token costs in these tests."""


def compute_cost(usage: Usage) -> Decimal:
    return (usage.prompt_tokens + usage.completion_tokens) * TOKEN_USD


def build_budget(
    ledger: Ledger,
    *,
    run_id: str = "run-1",
    clock: Clock | None = None,
    told: list[str] | None = None,
    **caps: object,
) -> CappedBudget:
    return CappedBudget(
        BudgetSettings.model_validate(caps),
        ledger=ledger,
        run_id=run_id,
        clock=clock or FakeClock(),
        warn=(told if told is not None else []).append,
    )


@pytest.fixture(scope="module")
def idle_ledger(tmp_path_factory) -> Generator[Ledger]:
    """A ledger that is never asked, because no cap is for a day."""
    with open_ledger(f"sqlite:///{tmp_path_factory.mktemp('idle')}/ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def ledger(ledger_url) -> Generator[Ledger]:
    """A new ledger."""
    with open_ledger(ledger_url) as opened:
        yield opened


def build_sized(n_tokens: int, text: str = "") -> CallRequest:
    """A call that takes so many tokens at most."""
    prompt = len(text) + 16
    return build_request(text, max_output_tokens=n_tokens - prompt)


def build_used(request: CallRequest, n_tokens: int):
    usage = Usage(prompt_tokens=n_tokens, completion_tokens=0)
    return build_answer(request.build_key(), usage=usage, cost_usd=compute_cost(usage))


calls = st.lists(
    st.tuples(st.integers(17, 400), st.floats(0, 1), st.integers(0, 9)), min_size=1, max_size=30
)


@given(st.integers(1, 2000), calls)
def test_no_interleaving_passes_a_cap(idle_ledger, cap_tokens, calls):
    """Whatever calls take and whenever they come back, what is spent and under way stays within the caps."""
    cap_usd = cap_tokens * TOKEN_USD
    spent, under_way = Decimal(0), Decimal(0)

    async def send(budget: CappedBudget, n_tokens: int, share: float, stays_seconds: int) -> bool:
        nonlocal spent, under_way
        request = build_sized(n_tokens)
        worst = await budget.reserve(request, compute_cost)
        if isinstance(worst, OverBudget):
            assert spent + under_way + n_tokens * TOKEN_USD > cap_usd
            return False
        under_way += n_tokens * TOKEN_USD
        assert spent + under_way <= cap_usd
        await asyncio.sleep(stays_seconds)
        answer = build_used(request, int(n_tokens * share))
        under_way -= n_tokens * TOKEN_USD
        spent += answer.cost_usd or 0
        budget.settle(worst, answer)
        return True

    async def run() -> list[bool]:
        budget = build_budget(
            idle_ledger, clock=VirtualClock(), per_run_usd=cap_usd, per_run_tokens=cap_tokens
        )
        return await asyncio.gather(*(send(budget, *drawn) for drawn in calls))

    run_virtually(run())


def test_calls_wait_for_those_under_way(idle_ledger):
    """Worst cases that are never met keep nobody out: calls that take a tenth of theirs use the budget up."""

    async def send(budget: CappedBudget) -> bool:
        request = build_sized(100)
        worst = await budget.reserve(request, compute_cost)
        if isinstance(worst, OverBudget):
            return False
        await asyncio.sleep(1)
        budget.settle(worst, build_used(request, 10))
        return True

    async def run() -> list[bool]:
        budget = build_budget(idle_ledger, clock=VirtualClock(), per_run_tokens=500)
        return await asyncio.gather(*(send(budget) for _ in range(100)))

    assert sum(run_virtually(run())) == 41  # after 410 tokens there is no room for 100 more


def test_a_call_too_large_for_the_cap_keeps_no_other_out(idle_ledger):
    """It is left out at once, and smaller ones are sent."""

    async def run() -> list[Amount | OverBudget]:
        budget = build_budget(idle_ledger, per_run_tokens=100)
        return [
            await budget.reserve(build_sized(n_tokens), compute_cost) for n_tokens in (40, 101, 60)
        ]

    kinds = [type(answer) for answer in asyncio.run(run())]
    assert kinds == [Amount, OverBudget, Amount]


@pytest.mark.parametrize(
    ("kind", "is_sent"),
    [("timed_out", False), ("rate_limited", True), ("server_error", True), ("unreachable", True)],
)
def test_faults(idle_ledger, kind, is_sent):
    """A call without an answer costs nothing, but one that timed out may have been charged for."""

    async def run() -> Amount | OverBudget:
        budget = build_budget(idle_ledger, per_run_tokens=100)
        worst = await budget.reserve(build_sized(60), compute_cost)
        assert isinstance(worst, Amount)
        budget.settle(worst, build_fault(kind))
        return await budget.reserve(build_sized(60), compute_cost)

    assert isinstance(asyncio.run(run()), Amount) is is_sent


def test_a_person_is_warned_once(idle_ledger):
    """One line tells when the share is passed, however many calls follow."""
    told: list[str] = []

    async def run() -> None:
        budget = build_budget(idle_ledger, told=told, per_run_tokens=1000, warn_at=0.5)
        for _ in range(9):
            request = build_sized(100)
            worst = await budget.reserve(request, compute_cost)
            assert isinstance(worst, Amount)
            budget.settle(worst, build_used(request, 100))

    asyncio.run(run())
    assert told == ["50% of the budget of 1000 tokens for a run is spent."]


async def run_through(
    ledger: Ledger, budget: CappedBudget, *, run_id: str, n_calls: int, seed: int
) -> Decimal:
    """Send calls of random size, eight at once, each on record before it is settled; what they cost in all."""
    draw, spent = VirtualClock(seed).draw_jitter, Decimal(0)
    queue = iter(range(n_calls))

    async def work(writer) -> None:
        nonlocal spent
        for number in queue:
            request = build_sized(60 + int(80 * draw()), f"{run_id} {number}")
            worst = await budget.reserve(request, compute_cost)
            if isinstance(worst, OverBudget):
                continue
            answer = build_used(request, int(worst.n_tokens * draw()))
            await asyncio.sleep(0)
            await writer.put(replace(build_record(request, answer), run_id=run_id))
            spent += answer.cost_usd or 0
            budget.settle(worst, answer)

    with ledger.open_writer() as writer:
        await asyncio.gather(*(work(writer) for _ in range(8)))
    budget.release()
    return spent


class PatientClock(FakeClock):
    """Gives others in the same process the time for some work while it waits."""

    async def wait(self, wait_seconds: float) -> None:
        await asyncio.sleep(0.002)
        await super().wait(wait_seconds)


@pytest.mark.parametrize("seed", range(5))
def test_two_runs_share_a_day(ledger_url, seed):
    """Two runs with ledgers of their own on one file never pass the day's cap, and use nearly all of it."""
    cap_usd = Decimal(30)

    async def run_one(number: int) -> Decimal:
        with open_ledger(ledger_url) as ledger:
            run_id = f"run-{number}"
            budget = build_budget(ledger, run_id=run_id, clock=PatientClock(), per_day_usd=cap_usd)
            return await run_through(ledger, budget, run_id=run_id, n_calls=80, seed=seed + number)

    async def run_both() -> list[Decimal]:
        return await asyncio.gather(
            *(asyncio.to_thread(asyncio.run, run_one(number)) for number in (10, 20))
        )

    spent = sum(asyncio.run(run_both()), Decimal(0))
    assert cap_usd - Decimal("1.4") <= spent <= cap_usd


def test_a_run_waits_for_what_others_have_set_aside(ledger_url):
    """A run that finds the day set aside by another one sends its call once that one has given its share back."""
    clock = FakeClock()
    told: list[str] = []

    async def run() -> object:
        with open_ledger(ledger_url) as ledger, open_ledger(ledger_url) as other:
            holding = build_budget(other, run_id="other", clock=clock, per_day_usd=2)
            assert isinstance(await holding.reserve(build_sized(150), compute_cost), Amount)

            class ReleasingClock(FakeClock):
                async def wait(self, wait_seconds: float) -> None:
                    await super().wait(wait_seconds)
                    if len(self.waits) == 3:
                        holding.release()

            budget = CappedBudget(
                BudgetSettings(per_day_usd=Decimal(2)),
                ledger=ledger,
                run_id="run-1",
                clock=ReleasingClock(),
                warn=told.append,
                note_wait=told.append,
            )
            return await budget.reserve(build_sized(100), compute_cost)

    assert isinstance(asyncio.run(run()), Amount)
    assert told == ["other runs' share of the day's budget"]


def test_a_run_does_not_wait_for_a_killed_one(ledger_url):
    """What nobody spends or gives back leaves items out after a while, and the next one at once."""
    clock = FakeClock()

    async def run() -> list[object]:
        with open_ledger(ledger_url) as ledger, open_ledger(ledger_url) as other:
            killed = build_budget(other, run_id="other", clock=clock, per_day_usd=2)
            assert isinstance(await killed.reserve(build_sized(150), compute_cost), Amount)
            budget = build_budget(ledger, clock=clock, per_day_usd=2)
            first = await budget.reserve(build_sized(100), compute_cost)
            waited_seconds = clock.seconds
            second = await budget.reserve(build_sized(100), compute_cost)
            small = await budget.reserve(build_sized(20), compute_cost)
            return [type(first), waited_seconds, type(second), clock.seconds, type(small)]

    waited = OTHERS_PATIENCE_SECONDS
    assert asyncio.run(run()) == [OverBudget, waited, OverBudget, waited, Amount]


def test_a_run_takes_its_reservation_again_before_it_expires(ledger_url):
    """A run that goes on for longer than a reservation lasts is never without one."""
    clock = FakeClock()

    async def run() -> None:
        with open_ledger(ledger_url) as ledger, open_ledger(ledger_url) as other:
            budget = build_budget(ledger, clock=clock, per_day_usd=10)
            for _ in range(20):
                request = build_sized(100)
                worst = await budget.reserve(request, compute_cost)
                assert isinstance(worst, Amount)
                assert not reserve_all(other, clock).is_granted
                clock.seconds += RESERVATION_LIFETIME.total_seconds() / 3
                assert not reserve_all(other, clock).is_granted
                budget.settle(worst, build_used(request, 0))

    def reserve_all(other: Ledger, clock: FakeClock):
        return other.try_to_reserve(
            run_id="other",
            reserved_usd=Decimal(10),
            cap_usd=Decimal(10),
            now=clock.get_now(),
            expires_at=clock.get_now() + timedelta(hours=1),
        )

    asyncio.run(run())


def test_a_released_run_keeps_what_timed_out(ledger):
    """What may have been charged for stays set aside for the day; the rest is free for the next run."""

    async def run() -> list[type]:
        budget = build_budget(ledger, per_day_usd=1)
        first, second = [await budget.reserve(build_sized(40), compute_cost) for _ in range(2)]
        assert isinstance(first, Amount)
        assert isinstance(second, Amount)
        budget.settle(first, build_fault("timed_out"))
        budget.settle(second, build_fault("server_error"))
        budget.release()
        later = build_budget(ledger, run_id="run-2", per_day_usd=1)
        return [
            type(await later.reserve(build_sized(n_tokens), compute_cost)) for n_tokens in (61, 60)
        ]

    assert asyncio.run(run()) == [OverBudget, Amount]


def test_the_day_of_others_warns(ledger):
    """A run hears of a day that other runs have used up nearly."""
    told: list[str] = []

    async def run() -> None:
        earlier = build_budget(ledger, run_id="run-0", per_day_usd=10)
        await run_through(ledger, earlier, run_id="run-0", n_calls=17, seed=1)
        budget = build_budget(ledger, told=told, per_day_usd=10, warn_at=0.3)
        request = build_sized(20)
        worst = await budget.reserve(request, compute_cost)
        assert isinstance(worst, Amount)
        budget.settle(worst, build_used(request, 0))

    asyncio.run(run())
    assert len(told) == 1
    assert "10 USD for a day" in told[0]


@pytest.mark.parametrize(
    ("caps", "has_price", "has_output_cap", "remedy"),
    [
        ({}, False, False, None),
        ({"warn_at": 0.5}, False, False, None),
        ({"per_run_usd": 1}, True, True, None),
        ({"per_run_usd": 1}, True, False, "llm.max_output_tokens"),
        ({"per_run_tokens": 1}, True, False, "llm.max_output_tokens"),
        ({"per_run_usd": 1}, False, True, "llm.price"),
        ({"per_day_usd": 1}, False, True, "llm.price"),
        ({"per_day_usd": 1, "per_run_tokens": 9}, False, True, "llm.price"),
        ({"per_run_tokens": 1}, False, True, None),
    ],
)
def test_caps_that_cannot_be_kept(caps, has_price, has_output_cap, remedy):
    """A cap that needs to know a price or a length is an error before the first call where it is not known."""

    def check() -> None:
        check_budget(
            BudgetSettings.model_validate(caps),
            compute_cost=compute_cost if has_price else lambda _: None,
            has_output_cap=has_output_cap,
        )

    if remedy is None:
        check()
        return
    with pytest.raises(ConfigError, match="nothing was sent") as raised:
        check()
    assert remedy in raised.value.remedy


def test_a_token_cap_with_an_unknown_price(idle_ledger):
    """Calls whose price is not known are capped by their tokens."""

    async def run() -> list[type]:
        budget = build_budget(idle_ledger, per_run_tokens=100)
        requests = [build_sized(60), build_sized(60)]
        first = await budget.reserve(requests[0], lambda _: None)
        assert isinstance(first, Amount)
        budget.settle(first, replace(build_used(requests[0], 60), cost_usd=None))
        return [type(await budget.reserve(requests[1], lambda _: None))]

    assert asyncio.run(run()) == [OverBudget]
