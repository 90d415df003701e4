"""What was spent in a day, and what the runs under way may still spend of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from llm_assets.gateways.ledger import tables
from llm_assets.gateways.ledger.records import count_picousd


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The answer to a run that wants to set aside some of the day's cap."""

    is_granted: bool
    spent_usd: Decimal
    """What all runs together have spent in the day, as far as prices are known."""
    free_usd: Decimal
    """What of the cap is neither spent nor set aside, this run's own share left out."""


def try_to_reserve(
    connection: Connection,
    *,
    run_id: str,
    reserved_usd: Decimal,
    cap_usd: Decimal,
    now: datetime,
    expires_at: datetime,
) -> Reservation:
    """Set a run's reservation, if it fits under the day's cap beside what is spent and reserved by others.

    Has to run in a transaction that locks out other writers. A reservation counts until it expires, so that a
    killed run does not hold its share for ever.
    """
    spent = _sum_spent(connection, since=_find_day_start(now))
    free = count_picousd(cap_usd) - spent - _sum_reserved(connection, but_for=run_id, now=now)
    wanted = count_picousd(reserved_usd)
    if wanted <= free:
        _set_reservation(connection, run_id=run_id, picousd=wanted, expires_at=expires_at)
    return Reservation(
        is_granted=wanted <= free,
        spent_usd=Decimal(spent) / tables.PICO,
        free_usd=Decimal(free) / tables.PICO,
    )


def release(connection: Connection, *, run_id: str, kept_usd: Decimal, now: datetime) -> None:
    """Give back what a run has reserved, but for `kept_usd`, which counts until the day is over."""
    if kept_usd > 0:
        expires_at = _find_day_start(now) + timedelta(days=1)
        picousd = count_picousd(kept_usd)
        _set_reservation(connection, run_id=run_id, picousd=picousd, expires_at=expires_at)
    else:
        own = tables.reservations.c.run_id == run_id
        connection.execute(delete(tables.reservations).where(own))


def _set_reservation(
    connection: Connection, *, run_id: str, picousd: int, expires_at: datetime
) -> None:
    values = {"run_id": run_id, "cost_picousd": picousd, "expires_at": expires_at.isoformat()}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(tables.reservations).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["run_id"], set_=values))


def _find_day_start(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _sum_spent(connection: Connection, *, since: datetime) -> int:
    columns = tables.calls.c
    query = select(func.sum(columns.cost_picousd)).where(columns.recorded_at >= since.isoformat())
    return int(connection.execute(query).scalar() or 0)


def _sum_reserved(connection: Connection, *, but_for: str, now: datetime) -> int:
    columns = tables.reservations.c
    query = select(func.sum(columns.cost_picousd)).where(
        columns.run_id != but_for, columns.expires_at > now.isoformat()
    )
    return int(connection.execute(query).scalar() or 0)
