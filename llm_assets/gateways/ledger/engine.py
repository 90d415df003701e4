"""How the ledger's database is opened, so that what was written survives a power cut and writers wait in turn."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text

from llm_assets.errors import StorageError

BUSY_TIMEOUT_SECONDS = 60
WAL_SWITCHES = 10
"""So often the switch of a new file is tried; the second time, the other connection has mostly done it."""
_SERVERS = {"postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"}
_LOCK = 7_391_204_118
"""The number under which PostgreSQL lets one at a time write to the ledger."""


def build_engine(url: str) -> Engine:
    """The engine for a database URL; the folder of an SQLite file is made.

    SQLite runs in WAL mode with full synchronisation: a commit is on the disk when it returns. Transactions lock
    at their beginning, because one that begins as a reader fails at once where another writes.
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return build_server_engine(address)
    Path(address.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def build_server_engine(address: URL) -> Engine:
    """The engine for a ledger in PostgreSQL; `StorageError` for a database of another kind.

    A connection that broke while nobody used it, as all do when the server is started anew, is replaced unseen. The
    isolation is named because a server may have another default, under which a writer that waited for its turn would
    see what there was before; the encoding, because texts are bytes for some servers and come back as such.
    """
    if address.drivername not in _SERVERS:
        raise StorageError(
            f"The ledger cannot be opened: {address.drivername!r} names no database that can hold one.",
            remedy="Give a URL of SQLite or of PostgreSQL: `postgresql+psycopg://user:password@host/database`.",
        )
    if "+" not in address.drivername:
        address = address.set(drivername="postgresql+psycopg")
    return create_engine(
        address,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args={"client_encoding": "utf8"},
    )


@contextmanager
def open_transaction(engine: Engine) -> Generator[Connection]:
    """A transaction that no other writer of the ledger runs beside; it is durable once the block is left.

    SQLite lets one write at a time by itself. PostgreSQL would let two, and then rows can appear in another order
    than that of their numbers, so that a call's first answer is another one a moment later; and two that write the
    same parts in different orders would wait for each other.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            _wait_for_turn(connection)
        yield connection


def _wait_for_turn(connection: Connection) -> None:
    """Both settings hold until the transaction ends; a server may be set up to acknowledge what it has not kept."""
    settings = text(
        "SELECT set_config('lock_timeout', :timeout, true), CASE current_setting('synchronous_commit')"
        " WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END"
    )
    connection.execute(settings, {"timeout": f"{round(BUSY_TIMEOUT_SECONDS * 1000)}ms"})
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own
    switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """Let readers and the writer go on side by side.

    Where two connections switch a new file at the same time, SQLite fails one of them at once, whatever the
    time-out; beginning a transaction waits until the other is done.
    """
    for _ in range(WAL_SWITCHES):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_immediately(connection: Connection) -> None:
    is_read = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    if not is_read:  # a reader would wait for every writer, and make every writer wait
        connection.exec_driver_sql("BEGIN IMMEDIATE")
