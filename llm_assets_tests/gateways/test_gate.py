import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.task import LimitSettings
from llm_assets.core.concurrency import AdaptiveConcurrency, build_concurrency
from llm_assets.core.rate_limit import AnnouncedLimits, RateLimit
from llm_assets.gateways.budget import NoBudget
from llm_assets.gateways.caller import Caller, Progress, Route
from llm_assets.gateways.gate import Gate
from llm_assets_tests.fakes import (
    CENT,
    IDENTITY,
    FakeEndpoint,
    MemoryRecorder,
    OneRoute,
    build_call,
    echo,
)
from llm_assets_tests.gateways.simulated_server import (
    LATENCY_SECONDS,
    NETWORK_SECONDS,
    Change,
    SimulatedServer,
    run_against,
)
from llm_assets_tests.virtual_time import VirtualClock, run_virtually


def build_gate(
    concurrency: AdaptiveConcurrency | int = 1000,
    *,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
    note_wait: Callable[[str], None] = lambda _: None,
) -> Gate:
    if isinstance(concurrency, int):
        concurrency = build_concurrency(ceiling=concurrency, is_fixed=True)
    return Gate(
        concurrency=concurrency,
        rate=RateLimit(
            requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute
        ),
        clock=VirtualClock(),
        note_wait=note_wait,
    )


def get_seconds() -> float:
    return asyncio.get_running_loop().time()


def test_places_go_in_order():
    """Who asks first for a place has it first."""
    entered: list[int] = []

    async def visit(gate: Gate, number: int) -> None:
        async with gate.hold_place():
            entered.append(number)
            await asyncio.sleep(number * 0.37 % 1)

    async def run() -> None:
        gate = build_gate(3)
        await asyncio.gather(*(visit(gate, number) for number in range(50)))

    run_virtually(run())
    assert entered == list(range(50))


def test_turns_go_in_order():
    """Who asks first for a turn leaves first, also where a large call has to wait for its tokens."""
    left: list[int] = []

    async def visit(gate: Gate, number: int) -> None:
        async with gate.take_turn(n_tokens=number * 7919 % 500):
            left.append(number)

    async def run() -> None:
        gate = build_gate(tokens_per_minute=1000)
        await asyncio.gather(*(visit(gate, number) for number in range(50)))

    run_virtually(run())
    assert left == list(range(50))


visits = st.lists(
    st.tuples(
        st.integers(0, 20),  # when it comes
        st.integers(0, 10),  # how long it stays
        st.none() | st.integers(0, 30),  # when it is cancelled
    ),
    max_size=40,
)


@given(st.integers(1, 5), visits)
def test_cancelled_calls_lose_no_place(n_places, visits):
    """However calls come, stay and are cancelled, the places are never overfilled and all free in the end."""
    n_inside, most_inside = 0, 0

    async def visit(gate: Gate, comes_at: float, stays_seconds: float) -> None:
        nonlocal n_inside, most_inside
        await asyncio.sleep(comes_at)
        async with gate.hold_place(), gate.take_turn(n_tokens=1):
            n_inside += 1
            most_inside = max(most_inside, n_inside)
            try:
                await asyncio.sleep(stays_seconds)
            finally:
                n_inside -= 1

    async def cancel(task: asyncio.Task[None], at: float) -> None:
        await asyncio.sleep(at)
        task.cancel()

    async def run() -> None:
        gate = build_gate(n_places)
        async with asyncio.TaskGroup() as group:
            for comes_at, stays_seconds, cancelled_at in visits:
                task = group.create_task(visit(gate, comes_at, stays_seconds))
                if cancelled_at is not None:
                    group.create_task(cancel(task, cancelled_at))
        started = get_seconds()
        await asyncio.gather(*(visit(gate, 0, 1) for _ in range(n_places)))
        assert get_seconds() - started == 1

    run_virtually(run())
    assert most_inside <= n_places


def test_a_call_cancelled_at_the_moment_it_is_let_in():
    """Its place goes to the next one."""

    async def run() -> list[str]:
        gate, entered = build_gate(1), []

        async def visit(name: str) -> None:
            async with gate.hold_place():
                entered.append(name)

        async with gate.hold_place():
            second, third = (
                asyncio.create_task(visit("second")),
                asyncio.create_task(visit("third")),
            )
            await asyncio.sleep(0)
        second.cancel()  # after its place was given to it, before it could know
        await third
        return entered

    assert run_virtually(run()) == ["third"]


def test_requests_a_minute():
    """Calls leave one after the other, as the limit has it, and the wait is told."""
    left: list[float] = []
    told: list[str] = []

    async def visit(gate: Gate) -> None:
        async with gate.take_turn(n_tokens=0):
            left.append(get_seconds())

    async def run() -> None:
        await asyncio.sleep(1000)
        gate = build_gate(requests_per_minute=30, note_wait=told.append)
        await asyncio.gather(*(visit(gate) for _ in range(31)))

    run_virtually(run())
    assert left[-1] - left[0] >= 60
    assert {round(later - sooner, 2) for sooner, later in pairwise(left)} == {2.04}
    assert told[0] == "the endpoint's limit, resumes in 2 s"


def test_retry_after_holds_everybody_up():
    """While the endpoint wants to be left alone, no call leaves."""

    async def run() -> float:
        gate = build_gate()
        async with gate.take_turn(n_tokens=0) as departure:
            await asyncio.sleep(1)
        gate.note_overload(departure, retry_after_seconds=12.0)
        async with gate.take_turn(n_tokens=0):
            return get_seconds()

    assert run_virtually(run()) == 13.0


def test_calls_sent_again_after_a_cut():
    """Calls that keep their places while the places are cut are not all sent again at once."""
    n_under_way, most_under_way = 0, 0

    async def send_again(gate: Gate) -> None:
        nonlocal n_under_way, most_under_way
        async with gate.hold_place():
            await asyncio.sleep(1)
            async with gate.take_turn(n_tokens=0):
                n_under_way += 1
                most_under_way = max(most_under_way, n_under_way)
                await asyncio.sleep(1)
                n_under_way -= 1

    async def run() -> None:
        concurrency = build_concurrency(ceiling=30, is_fixed=True)
        gate = build_gate(concurrency)
        async with asyncio.TaskGroup() as group:
            for _ in range(30):
                group.create_task(send_again(gate))
            await asyncio.sleep(0.5)
            concurrency.limit = 4

    run_virtually(run())
    assert most_under_way == 4


def test_a_call_that_is_back_makes_room_though_it_keeps_its_place():
    """Who waits for a turn leaves when another call is back, not only when that one gives up its place."""

    async def send(gate: Gate, *, asks_at: float) -> float:
        async with gate.hold_place():
            await asyncio.sleep(asks_at)
            async with gate.take_turn(n_tokens=0) as departure:
                await asyncio.sleep(1)
            await asyncio.sleep(10)
        return departure.left_at

    async def run() -> list[float]:
        concurrency = build_concurrency(ceiling=2, is_fixed=True)
        gate = build_gate(concurrency)
        async with asyncio.TaskGroup() as group:
            sends = [group.create_task(send(gate, asks_at=moment)) for moment in (0, 0.5)]
            await asyncio.sleep(0.2)
            concurrency.limit = 1
        return [task.result() for task in sends]

    assert run_virtually(run()) == [0, 1]


@pytest.mark.parametrize(
    ("own", "announced", "kept"), [(None, 600, 600), (60, 600, 60), (None, None, None)]
)
def test_announced_limits(own, announced, kept):
    """What an endpoint says of itself counts where a person said nothing."""
    rate = RateLimit(requests_per_minute=own, tokens_per_minute=own)
    gate = Gate(
        concurrency=build_concurrency(ceiling=1, is_fixed=True),
        rate=rate,
        clock=VirtualClock(),
        note_wait=lambda _: None,
    )
    gate.learn(AnnouncedLimits(requests_per_minute=announced, tokens_per_minute=announced))
    assert (rate.requests_per_minute, rate.tokens_per_minute) == (kept, kept)
    assert gate.is_token_limited is (kept is not None)


def test_one_gate_for_two_purposes():
    """The judge's calls and the others share the places of an endpoint."""
    endpoint = FakeEndpoint(echo, n_turns=5)

    async def run() -> None:
        route = Route(
            name="office", endpoint=endpoint, compute_cost=lambda _: CENT, gate=build_gate(6)
        )
        caller = Caller(
            identity=IDENTITY,
            routes=OneRoute(route),
            recorder=MemoryRecorder(),
            limits=LimitSettings(),
            clock=VirtualClock(),
            progress=Progress(n_to_run=1),
            budget=NoBudget(),
        )
        calls = [build_call(str(number)) for number in range(20)]
        calls += [replace(call, purpose="judge") for call in calls]
        await asyncio.gather(*map(caller.find_answer, calls))

    run_virtually(run())
    assert len(endpoint.requests) == 40
    assert endpoint.max_in_flight == 6


IDEAL_PER_SECOND = 20 / (LATENCY_SECONDS + 2 * NETWORK_SECONDS)
"""Of a client that knows that the server takes 20 at once."""


@pytest.mark.parametrize("retry_after_seconds", [None, 0.0, 1.0])
def test_a_server_that_takes_20_at_once(retry_after_seconds):
    """The number is found without being told: 90 % of its throughput, with less than 1 % of the calls refused."""
    server = SimulatedServer(most_at_once=20, retry_after_seconds=retry_after_seconds)
    run_against(server, seconds=60)
    assert server.n_answered >= 0.9 * IDEAL_PER_SECOND * 60
    assert server.refused_share < 0.01


@pytest.mark.parametrize(("retry_after_seconds", "refused_share"), [(1.0, 0.02), (None, 0.05)])
def test_a_server_that_takes_100_a_second(retry_after_seconds, refused_share):
    """A rate that nobody announces is met nearly, too, though only the number at once can be changed."""
    server = SimulatedServer(most_per_second=100, retry_after_seconds=retry_after_seconds)
    run_against(server, seconds=60)
    assert server.n_answered >= 0.9 * 100 * 60
    assert server.refused_share < refused_share


def test_a_server_that_takes_fewer_from_now_on():
    """The new number is found within seconds."""
    server = SimulatedServer(most_at_once=50, retry_after_seconds=1.0)
    run_against(server, seconds=60, change=Change(at_seconds=30, most_at_once=10))
    ideal = (50 + 10) * 30 / (LATENCY_SECONDS + 2 * NETWORK_SECONDS)
    assert server.n_answered >= 0.85 * ideal
    assert server.refused_share < 0.01


def test_a_server_that_takes_more_from_now_on():
    """Half a minute later the new number is found."""
    server = SimulatedServer(most_at_once=10, retry_after_seconds=None)
    run_against(server, seconds=60, change=Change(at_seconds=30, most_at_once=50))
    before = 10 * 30 / (LATENCY_SECONDS + 2 * NETWORK_SECONDS)
    assert server.n_answered - before >= 0.5 * 5 * before
    assert server.refused_share < 0.01
