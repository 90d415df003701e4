"""What was spent in a day, and what the runs under way may still spend of it."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from llm_assets.gateways.ledger import tables
from llm_assets.gateways.ledger.records import count_picousd


def try_to_reserve(
    connection: Connection,
    *,
    run_id: str,
    reserved_usd: Decimal,
    cap_usd: Decimal,
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Set a run's reservation, if it fits under the day's cap beside what is spent and reserved by others.

    Has to run in a transaction that locks out other writers. A reservation counts until it expires, so that a
    killed run does not hold its share for ever.
    """
    wanted = count_picousd(reserved_usd)
    taken = _sum_spent(connection, since=_find_day_start(now)) + _sum_reserved(
        connection, but_for=run_id, now=now
    )
    if taken + wanted > count_picousd(cap_usd):
        return False
    values = {"run_id": run_id, "cost_picousd": wanted, "expires_at": expires_at.isoformat()}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(tables.reservations).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["run_id"], set_=values))
    return True


def release(connection: Connection, *, run_id: str) -> None:
    """Give back what a run has reserved."""
    connection.execute(delete(tables.reservations).where(tables.reservations.c.run_id == run_id))


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
