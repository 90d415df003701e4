"""How the ledger's database is opened, so that what was written survives a power cut and writers wait in turn."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event

BUSY_TIMEOUT_SECONDS = 60
WAL_SWITCHES = 10
"""So often the switch of a new file is tried; the second time, the other connection has mostly done it."""


def build_engine(url: str) -> Engine:
    """The engine for a database URL; the folder of an SQLite file is made.

    SQLite runs in WAL mode with full synchronisation: a commit is on the disk when it returns. Transactions lock
    at their beginning, because one that begins as a reader fails at once where another writes.
    """
    if not url.startswith("sqlite"):
        return create_engine(url)
    path = url.removeprefix("sqlite:///")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediately)
    return engine


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
