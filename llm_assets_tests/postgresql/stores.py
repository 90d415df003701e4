"""Where a ledger can lie: the fixtures for tests that hold for every store, and a look into each."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from llm_assets.gateways.ledger.engine import build_engine
from llm_assets_tests.postgresql.server import PostgreSQLServer, open_server

STORES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))


@pytest.fixture(scope="session")
def postgresql() -> Generator[PostgreSQLServer]:
    """One server for all tests of a run: making and starting it takes two seconds."""
    with open_server() as server:
        yield server


@pytest.fixture(params=STORES)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a ledger that is not there yet, in each kind of store."""
    return build_ledger_url(request, tmp_path)


def build_ledger_url(request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of a new ledger in the store that is the fixture's parameter."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/data/ledger.sqlite"
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    return server.make_schema()


@contextmanager
def open_database(url: str) -> Generator[Connection]:
    """The ledger's database as anyone can open it; what is done there is kept."""
    engine = build_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def count_rows(url: str, table: str) -> int:
    """How many rows a table of the ledger has."""
    with open_database(url) as connection:
        query = f"select count(*) from {table}"  # noqa: S608 -- a table's name
        return int(connection.exec_driver_sql(query).scalar_one())
