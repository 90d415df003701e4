"""What a person is told where a server cannot hold the ledger."""

import sys

import pytest

from llm_assets.errors import StorageError
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets_tests.postgresql.server import PostgreSQLServer

EXTRA = "pip install 'llm-assets[postgres]'"
SECRET = "hunter2"


def fail_to_open(url: str, *, opens=open_ledger) -> StorageError:
    with pytest.raises(StorageError, match="The ledger cannot be opened: ") as caught, opens(url):
        pass
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("opens", [open_ledger, open_ledger_view])
@pytest.mark.parametrize(
    ("scheme", "module"),
    [
        ("postgresql", "psycopg"),
        ("postgres", "psycopg"),
        ("postgresql+psycopg", "psycopg"),
        ("postgresql+psycopg2", "psycopg2"),
    ],
)
def test_a_missing_driver_is_told_with_its_extra(monkeypatch, opens, scheme, module):
    """Whoever names PostgreSQL without its driver reads what to install; without a driver named, ours is meant."""
    monkeypatch.setitem(sys.modules, module, None)
    error = fail_to_open(f"{scheme}://anna:{SECRET}@host/db", opens=opens)
    assert module in error.what
    assert EXTRA in error.remedy


def test_another_kind_of_database_is_refused():
    """A database that was never tried is not tried with somebody's paid answers."""
    error = fail_to_open(f"mysql+pymysql://anna:{SECRET}@host/db")
    assert "postgresql+psycopg://" in error.remedy


def test_a_server_that_is_not_there_is_told(tmp_path):
    """One line says what was tried, and the remedy speaks of a server and of no file."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    error = fail_to_open(f"postgresql+psycopg://anna:{SECRET}@/db?host={tmp_path}")
    assert str(tmp_path) in error.what
    assert "server runs" in error.remedy


@pytest.mark.slow
def test_a_user_without_rights_is_told(postgresql: PostgreSQLServer):
    """A user that may not make tables hears of it before anything is sent."""
    url = postgresql.make_schema()
    schema = url.rpartition("%3D")[2]
    postgresql.execute(f"CREATE ROLE guest LOGIN; GRANT USAGE ON SCHEMA {schema} TO guest")
    error = fail_to_open(url.replace("//ledger@", "//guest@"))
    assert "permission denied" in error.what


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(
    postgresql: PostgreSQLServer, encoding: str
):
    """An encoding that would lose answers is told at the first run, when the database can still be made anew."""
    how = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    if postgresql.sorts_like_a_dictionary:
        how += " LOCALE_PROVIDER libc"
    url = postgresql.make_database(how)
    with pytest.raises(StorageError, match=f"has the encoding {encoding}, .*; nothing was made"):
        open_once(url)
    with open_ledger_view(url) as ledger:
        assert not ledger.has_epochs()


def open_once(url: str) -> None:
    with open_ledger(url):
        pass
