from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.concurrency import (
    COOL_DOWN_SECONDS,
    COSTLY_STRAY_SHARE,
    FIRST_PLACES,
    FIRST_TRY_SECONDS,
    FLIGHTS_TO_HOLD,
    PAUSES_BETWEEN_TRIES,
    STRAY_SHARE,
    AdaptiveConcurrency,
    build_concurrency,
)


def answer(concurrency: AdaptiveConcurrency, now: float, n_answers: int = 1) -> None:
    """So many answers to calls that left while all places were in use."""
    for _ in range(n_answers):
        concurrency.note_answer(now, sent_as=concurrency.limit, n_taken=concurrency.limit)


def refuse(
    concurrency: AdaptiveConcurrency,
    now: float,
    n_refused: int = 1,
    *,
    n_under_way: int | None = None,
    sent_at: float | None = None,
    pause_seconds: float = 0.0,
) -> None:
    """So many refusals out of one flight of calls that left together."""
    flight = n_under_way or concurrency.limit
    for n_back in range(n_refused):
        concurrency.note_overload(
            now,
            sent_at=now - 0.1 if sent_at is None else sent_at,
            sent_as=flight - n_back,
            n_under_way=flight - n_back,
            pause_seconds=pause_seconds,
        )


def build_settled(n_places: int, *, now: float, pause_seconds: float = 0.0) -> AdaptiveConcurrency:
    """One that has met a server which takes so many calls at once."""
    concurrency = build_concurrency(ceiling=64, is_fixed=True)
    refuse(concurrency, now, 64 - n_places, pause_seconds=pause_seconds)
    answer(concurrency, now, 10 * n_places)
    assert concurrency.limit == n_places
    return concurrency


events = st.lists(
    st.tuples(st.booleans(), st.floats(0, 20), st.integers(1, 80), st.floats(0, 60)), max_size=300
)


@given(st.integers(1, 64), st.booleans(), events)
def test_bounds(ceiling, is_fixed, events):
    """Whatever happens, at least one call may be under way and never more than a person allows."""
    concurrency = build_concurrency(ceiling=ceiling, is_fixed=is_fixed)
    now = 0.0
    for is_answer, elapsed, n_calls, pause_seconds in events:
        now += elapsed
        if is_answer:
            concurrency.note_answer(now, sent_as=n_calls, n_taken=n_calls)
        else:
            refuse(concurrency, now, n_under_way=n_calls, pause_seconds=pause_seconds)
        assert 1 <= concurrency.limit <= ceiling


def test_start():
    """It begins with few calls, or with as many as a person set."""
    assert build_concurrency(ceiling=64, is_fixed=False).limit == FIRST_PLACES
    assert build_concurrency(ceiling=3, is_fixed=False).limit == 3
    assert build_concurrency(ceiling=64, is_fixed=True).limit == 64


def test_growth_before_the_first_overload():
    """Every answer makes room for one more, so that the number doubles with each round, up to the ceiling."""
    concurrency = build_concurrency(ceiling=40, is_fixed=False)
    found = []
    for _ in range(4):
        answer(concurrency, 1.0, concurrency.limit)
        found.append(concurrency.limit)
    assert found == [16, 32, 40, 40]


def test_idle_places():
    """Answers that come while places are idle prove nothing, before an overload and after it."""
    concurrency = build_concurrency(ceiling=64, is_fixed=False)
    for _ in range(100):
        concurrency.note_answer(1.0, sent_as=5, n_taken=FIRST_PLACES - 2)
    assert concurrency.limit == FIRST_PLACES
    settled = build_settled(20, now=10.0)
    for _ in range(100):
        settled.note_answer(100.0, sent_as=19, n_taken=19)
    assert settled.limit == 20


def test_an_overload_tells_what_the_server_takes():
    """What is left of a flight after its refusals is the number of places."""
    concurrency = build_concurrency(ceiling=64, is_fixed=True)
    refuse(concurrency, 10.0, 44)
    assert concurrency.limit == 20


def test_one_cut_in_a_cool_down():
    """Calls that leave after a cut and are refused soon are part of the same overload."""
    concurrency = build_concurrency(ceiling=64, is_fixed=True)
    refuse(concurrency, 10.0, 44)
    refuse(concurrency, 10.0 + COOL_DOWN_SECONDS / 2, 5, sent_at=10.1)
    assert concurrency.limit == 20
    refuse(concurrency, 10.0 + COOL_DOWN_SECONDS, 5, sent_at=10.9)
    assert concurrency.limit == 15


def run_with_strays(share: float, *, pause_seconds: float) -> int:
    """The places after every so many calls of a thousand were refused, whatever the number under way."""
    concurrency = build_settled(20, now=10.0)
    now, n_due = 10.0, 0.0
    for _ in range(1000):
        now += 0.05
        n_due += share
        if n_due >= 1:
            n_due -= 1
            refuse(concurrency, now, pause_seconds=pause_seconds)
        else:
            answer(concurrency, now)
    return concurrency.limit


def test_refusals_that_are_not_about_the_number():
    """Where a few of the calls are refused at any number, fewer places help nobody, so they stay."""
    assert run_with_strays(STRAY_SHARE / 2, pause_seconds=0) >= 20
    assert run_with_strays(STRAY_SHARE * 2, pause_seconds=0) < 10


def test_refusals_that_hold_up_everything():
    """Where each refusal stops all calls for a while, even a few of them are avoided."""
    assert run_with_strays(COSTLY_STRAY_SHARE / 2, pause_seconds=1) >= 15
    assert run_with_strays(COSTLY_STRAY_SHARE * 2, pause_seconds=1) < 10


def test_a_try_that_fails():
    """One more place is tried after a while, taken back when a call is refused, and tried again twice as late."""
    concurrency = build_settled(20, now=10.0)
    tries = []
    now = 10.0
    for _ in range(3):
        begun = now
        while concurrency.limit == 20:
            now += 0.25
            answer(concurrency, now)
        tries.append(now - begun)
        assert concurrency.limit == 21
        refuse(concurrency, now)
        assert concurrency.limit == 20
    assert tries == [FIRST_TRY_SECONDS, 2 * FIRST_TRY_SECONDS, 4 * FIRST_TRY_SECONDS]


def test_a_try_that_holds():
    """A server that takes more than it did is found out in steps that double."""
    concurrency = build_settled(20, now=10.0)
    now, found = 10.0, [20]
    while concurrency.limit < 64:
        now += 0.25
        answer(concurrency, now, FLIGHTS_TO_HOLD * 64)
        if concurrency.limit != found[-1]:
            found.append(concurrency.limit)
    assert found == [20, 21, 23, 27, 35, 51, 64]
    assert now - 10.0 < 4 * FIRST_TRY_SECONDS


def test_a_try_is_proven_by_calls_that_used_it():
    """Answers to calls that left with fewer under way do not speak for the place more."""
    concurrency = build_settled(20, now=10.0)
    answer(concurrency, 30.0)
    assert concurrency.limit == 21
    for _ in range(1000):
        concurrency.note_answer(31.0, sent_as=20, n_taken=21)
    answer(concurrency, 40.0)
    assert concurrency.limit == 21
    answer(concurrency, 41.0, FLIGHTS_TO_HOLD * 21)
    answer(concurrency, 50.0)
    assert concurrency.limit == 23


def test_a_try_costs_a_pause():
    """Where every refusal holds up all calls for a while, tries are so rare that this hardly counts."""
    concurrency = build_settled(20, now=10.0, pause_seconds=2.0)
    answer(concurrency, 10.0 + PAUSES_BETWEEN_TRIES * 2.0 - 0.1, 1000)
    assert concurrency.limit == 20
    answer(concurrency, 10.0 + PAUSES_BETWEEN_TRIES * 2.0)
    assert concurrency.limit == 21
