import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from llm_assets.gateways.ledger.ledger import Ledger, open_ledger
from llm_assets.gateways.ledger.spending import Reservation
from llm_assets_tests.fakes import (
    NOON,
    build_answer,
    build_fault,
    build_record,
    build_request,
    put_records,
)

HOUR = timedelta(hours=1)
CAP = Decimal(10)


def reserve(
    ledger: Ledger, run_id: str, usd: str | Decimal, *, now: datetime = NOON, cap: Decimal = CAP
) -> Reservation:
    return ledger.try_to_reserve(
        run_id=run_id, reserved_usd=Decimal(usd), cap_usd=cap, now=now, expires_at=now + HOUR
    )


def release(ledger: Ledger, run_id: str, *, kept_usd: str = "0", now: datetime = NOON) -> None:
    ledger.release(run_id=run_id, kept_usd=Decimal(kept_usd), now=now)


def spend(ledger: Ledger, usd: str | None, *, at: datetime = NOON, text: str = "a call") -> None:
    request = build_request(text)
    cost_usd = None if usd is None else Decimal(usd)
    answer = build_answer(request.build_key(), cost_usd=cost_usd)
    put_records(ledger, [replace(build_record(request, answer), recorded_at=at)])


def test_what_is_spent_and_reserved_by_others_counts(ledger):
    """A reservation fits to the last millionth of a millionth of a dollar, and not beyond."""
    spend(ledger, "2.5")
    assert reserve(ledger, "run-1", "3").is_granted
    assert not reserve(ledger, "run-2", "4.500000000001").is_granted
    granted = reserve(ledger, "run-2", "4.5")
    assert granted == Reservation(
        is_granted=True, spent_usd=Decimal("2.5"), free_usd=Decimal("4.5")
    )


def test_a_run_has_one_reservation(ledger):
    """A run's new reservation takes the place of its old one; a refused one leaves it as it was."""
    assert reserve(ledger, "run-1", "6").is_granted
    assert reserve(ledger, "run-1", "9").is_granted
    assert not reserve(ledger, "run-1", "11").is_granted
    assert reserve(ledger, "run-2", "5").free_usd == 1


def test_release(ledger):
    """What a run gives back is free for others."""
    reserve(ledger, "run-1", "10")
    assert not reserve(ledger, "run-2", "0.01").is_granted
    release(ledger, "run-1")
    assert reserve(ledger, "run-2", "10").is_granted


def test_what_may_have_been_charged_stays_reserved_until_the_day_is_over(ledger):
    """Calls without an answer may be on the bill, so their worst case counts for the rest of their day."""
    reserve(ledger, "run-1", "10")
    release(ledger, "run-1", kept_usd="4")
    assert reserve(ledger, "run-2", "0", now=NOON + 11 * HOUR).free_usd == 6
    assert reserve(ledger, "run-2", "0", now=NOON + 12 * HOUR).free_usd == 10


def test_a_killed_run_holds_nothing_for_ever(ledger):
    """A reservation that nobody renews is free once it has expired."""
    reserve(ledger, "killed", "10")
    assert not reserve(ledger, "run-2", "1", now=NOON + HOUR - timedelta(seconds=1)).is_granted
    assert reserve(ledger, "run-2", "10", now=NOON + HOUR).is_granted


@pytest.mark.parametrize(
    ("moment", "spent"),
    [
        (NOON.replace(hour=0), 3),
        (NOON.replace(hour=0, microsecond=1), 3),
        (NOON.replace(hour=0) - timedelta(microseconds=1), 0),
        (NOON + timedelta(microseconds=1), 3),
    ],
)
def test_the_day_begins_at_midnight_utc(ledger, moment, spent):
    """Calls of an earlier day count no more."""
    spend(ledger, "3", at=moment)
    assert reserve(ledger, "run-1", "1").spent_usd == spent


def test_sums_are_exact(ledger):
    """A thousand tiny costs add up without a rounding error, and calls without a price or an answer add nothing."""
    cost_usd = Decimal("0.000000123457")
    records = []
    for number in range(1000):
        request = build_request(str(number))
        answer = build_answer(request.build_key(), cost_usd=cost_usd)
        records.append(build_record(request, answer))
    put_records(ledger, records)
    spend(ledger, None, text="without a price")
    put_records(ledger, [build_record(build_request("a fault"), build_fault())])
    assert reserve(ledger, "run-1", "0").spent_usd == cost_usd * 1000


def test_two_ledgers_never_reserve_more_than_the_cap(ledger_url):
    """Runs that reserve, spend and release at the same moments stay within the cap all the time."""
    cap, step = Decimal(1), Decimal("0.03")

    def run(number: int) -> Decimal:
        """Reserve a little more each time and spend half of it, as long as it is granted."""
        run_id, spent = f"run-{number}", Decimal(0)
        with open_ledger(ledger_url) as ledger:
            while True:
                reservation = reserve(ledger, run_id, step, cap=cap)
                assert reservation.spent_usd <= cap
                if not reservation.is_granted:
                    release(ledger, run_id)
                    return spent
                spend(ledger, str(step / 2), text=f"{number} {spent}")
                spent += step / 2

    with ThreadPoolExecutor(4) as threads:
        spent = sum(threads.map(run, range(4)), Decimal(0))
    assert cap - 5 * step <= spent <= cap


def test_many_runs_at_the_same_moment(ledger_url):
    """Of eight runs that want a third of the cap at once, three get it."""

    async def race(ledgers: list[Ledger]) -> list[Reservation]:
        return await asyncio.gather(
            *(
                asyncio.to_thread(reserve, ledger, f"run-{number}", Decimal("3.3"))
                for number, ledger in enumerate(ledgers)
            )
        )

    with open_ledger(ledger_url) as first, open_ledger(ledger_url) as second:
        answers = asyncio.run(race([first, second] * 4))
    assert sum(answer.is_granted for answer in answers) == 3
