"""What becomes of a ledger whose server goes away and comes back."""

from collections.abc import Generator

import pytest

from llm_assets.errors import StorageError
from llm_assets.gateways.ledger.ledger import Ledger, open_ledger
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets_tests.fakes import build_record, build_request, put_records
from llm_assets_tests.postgresql.server import PostgreSQLServer

pytestmark = pytest.mark.slow


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    """The address of a new ledger."""
    return postgresql.make_schema()


@pytest.fixture
def ledger(url: str) -> Generator[Ledger]:
    """A ledger with a call on record."""
    with open_ledger(url) as opened:
        put_records(opened, [build_record(build_request("before"))])
        yield opened


def test_a_restart_in_between_is_not_noticed(
    postgresql: PostgreSQLServer, url: str, ledger: Ledger
):
    """Connections that broke while nobody used them are replaced, for readers, writers and views."""
    before, after = (build_request(text) for text in ("before", "after"))
    with open_ledger_view(url) as view:
        assert not view.has_epochs()
        postgresql.stop()
        postgresql.start()
        put_records(ledger, [build_record(after)])
        keys = {before.build_key(), after.build_key()}
        assert ledger.find_answers(keys).keys() == keys
        assert view.find_answers(keys).keys() == keys


def test_a_server_that_went_away_is_told_and_found_again(
    postgresql: PostgreSQLServer, ledger: Ledger
):
    """While it is away, each use says so in a line; once it is back, the same ledger goes on."""
    record = build_record(build_request("after"))
    postgresql.stop()
    try:
        with pytest.raises(StorageError, match="The ledger cannot be written: ") as written:
            put_records(ledger, [record])
        with pytest.raises(StorageError, match="The ledger cannot be read: "):
            ledger.find_answers([record.key])
    finally:
        postgresql.start()
    assert "\n" not in str(written.value)
    assert "server runs" in written.value.remedy
    put_records(ledger, [record])
    assert ledger.find_answers([record.key]).keys() == {record.key}


def test_a_connection_that_breaks_in_a_write_leaves_nothing_half_done(
    postgresql: PostgreSQLServer, ledger: Ledger
):
    """The write is told as failed, nothing of it is there, and no lock stays behind."""
    request = build_request("after")

    def write() -> None:
        with ledger._write() as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            connection.exec_driver_sql("INSERT INTO epochs VALUES ('half', 1)")
            postgresql.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StorageError, match="The ledger cannot be written: "):
        write()
    assert not ledger.has_epochs()
    put_records(ledger, [build_record(request)])
    assert len(ledger.find_answers([request.build_key()])) == 1
