"""Whether the ledger keeps its word on a server that is set up to promise less."""

import pytest

from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.postgresql.server import PostgreSQLServer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("synchronous_commit", "off", "on"),
        ("synchronous_commit", "local", "local"),
        ("lock_timeout", "0", "1min"),
    ],
)
def test_a_write_is_durable_and_does_not_wait_for_ever(
    postgresql: PostgreSQLServer, name: str, given: str, expected: str
):
    """What the server leaves open is set for each write; a setting that keeps the promise stays."""
    url = f"{postgresql.make_schema()}%20-c{name}%3D{given}"
    with open_ledger(url) as ledger, ledger._write() as connection:
        assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == expected


def test_who_waited_for_a_turn_sees_what_was_written_meanwhile(postgresql: PostgreSQLServer):
    """Also on a server whose transactions see the past unless they say otherwise."""
    url = f"{postgresql.make_schema()}%20-cdefault_transaction_isolation%3Dserializable"
    with open_ledger(url) as ledger, ledger._write() as connection:
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
    assert level == "read committed"
