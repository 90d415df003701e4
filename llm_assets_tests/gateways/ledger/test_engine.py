import sqlite3
import threading

import pytest

from llm_assets.gateways.ledger.engine import WAL_SWITCHES, switch_to_wal
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.postgresql.stores import count_rows

SWITCH = "PRAGMA journal_mode=WAL"


class RacedConnection(sqlite3.Connection):
    """Meets so many others that switch the file at the same moment."""

    n_others = 0

    def execute(self, sql, /, *args):
        statements.append(sql)
        if sql == SWITCH and statements.count(SWITCH) <= self.n_others:
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql, *args)


statements: list[str] = []


@pytest.fixture
def connection(tmp_path):
    """A connection to a new file."""
    statements.clear()
    connection = sqlite3.connect(tmp_path / "l.sqlite", factory=RacedConnection)
    connection.isolation_level = None
    yield connection
    connection.close()


def test_two_that_switch_a_new_file_both_get_through(connection):
    """A connection that is refused the switch waits for the other one's and then has it, too."""
    connection.n_others = 2
    switch_to_wal(connection)
    waiting = ["BEGIN IMMEDIATE", "COMMIT"]
    assert statements == [SWITCH, *waiting, SWITCH, *waiting, SWITCH]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_switch_that_never_works_is_an_error(connection):
    """A file that stays locked is told and not waited for without end."""
    connection.n_others = WAL_SWITCHES + 1
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        switch_to_wal(connection)


@pytest.mark.parametrize("turn", range(3))
def test_a_new_ledger_can_be_opened_by_many_at_once(ledger_url, turn):
    """Runs that start together without a ledger all get one, and it is made once."""
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def open_new():
        try:
            start.wait(10)
            with open_ledger(ledger_url) as ledger:
                ledger.find_answers([])
        except BaseException as exc:  # noqa: BLE001 -- a thread's edge
            errors.append(exc)

    threads = [threading.Thread(target=open_new) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert count_rows(ledger_url, "ledger_format") == 1
