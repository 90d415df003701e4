"""How the ledger is looked at without anything in it, or beside it, being made or changed."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import QueuePool, StaticPool

from llm_assets.gateways.ledger.engine import BUSY_TIMEOUT_SECONDS, build_server_engine
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.ledger.reading import open_reader, speak_plainly
from llm_assets.gateways.ledger.tables import create_tables, find_missing_columns, has_tables


@contextmanager
def open_ledger_view(url: str) -> Generator[Ledger]:
    """The ledger at a database URL, for reading; one that does not exist is an empty one, and is not made."""
    with speak_plainly("opened"):
        engine = _find_engine(url) or _build_empty_engine()
    try:
        yield Ledger(engine)
    finally:
        engine.dispose()


def _find_engine(url: str) -> Engine | None:
    engine = _build_read_only_engine(url)
    if engine is None:
        return None
    with open_reader(engine) as connection:
        is_ledger = has_tables(connection)
        missing = find_missing_columns(connection) if is_ledger else ()
        schema = inspect(connection).default_schema_name
    if is_ledger and not missing:
        return engine
    engine.dispose()
    if missing:
        _fill_up(engine, missing, schema=schema or "main")
        return engine
    return None


def _fill_up(engine: Engine, missing: tuple[str, ...], *, schema: str) -> None:
    """Let every connection see an older ledger with empty columns in place of those it lacks."""
    columns = ", ".join(f"CAST(NULL AS TEXT) AS {name}" for name in missing)
    stored = f"{engine.dialect.identifier_preparer.quote(schema)}.calls AS stored"
    view = f"CREATE TEMPORARY VIEW calls AS SELECT stored.*, {columns} FROM {stored}"  # noqa: S608 -- the names are ours
    statements = [view]
    if engine.dialect.name == "sqlite":  # takes a view in the connection's own memory for a change
        statements = ["PRAGMA query_only=OFF", view, "PRAGMA query_only=ON"]

    def shadow(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()  # what a server's connection makes is gone again otherwise

    event.listen(engine, "connect", shadow)


def _build_read_only_engine(url: str) -> Engine | None:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return build_server_engine(address).execution_options(postgresql_readonly=True)
    path = Path(address.database or "")
    if not path.is_file():
        return None

    def connect() -> sqlite3.Connection:
        # `mode=ro` would leave the files of the write-ahead log behind, which a reader of that kind cannot remove.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only=ON")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=QueuePool)


def _build_empty_engine() -> Engine:
    """A ledger in memory; all of its connections have to be the same one to see it."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    create_tables(engine)
    return engine
