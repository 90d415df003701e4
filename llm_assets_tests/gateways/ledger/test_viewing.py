import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import Engine, inspect

from llm_assets.errors import StorageError
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets_tests.fakes import build_record, build_request, put_records
from llm_assets_tests.postgresql.stores import count_rows, open_database

REQUEST = build_request()


@pytest.fixture
def path(tmp_path):
    """Where the ledger's file lies; its folder has what an address of a database must not have plainly."""
    return tmp_path / "50% of #1 ü" / "ledger.sqlite"


def put_one(url):
    with open_ledger(url) as ledger:
        put_records(ledger, [build_record(REQUEST)])


def build_url(path):
    return f"sqlite:///{path}"


def view(path):
    return open_ledger_view(build_url(path))


def test_a_view_sees_what_is_on_record(ledger_url):
    """Answers, messages and sums are read as in the ledger itself."""
    put_one(ledger_url)
    with open_ledger_view(ledger_url) as ledger:
        assert set(ledger.find_answers([REQUEST.build_key()])) == {REQUEST.build_key()}
        assert ledger.load_messages(REQUEST.build_key()) == REQUEST.messages
        assert len(ledger.history.sum_spend("day", since=None)) == 1


def test_a_view_leaves_the_file_as_it_was(path):
    """Not a byte of it is changed by reading."""
    put_one(build_url(path))
    before = path.read_bytes()
    with view(path) as ledger:
        assert len(ledger.history.sum_spend("day", since=None)) == 1
    assert path.read_bytes() == before


def test_a_view_cannot_write(ledger_url):
    """Whatever is tried through it, the record stays."""
    put_one(ledger_url)
    with open_ledger_view(ledger_url) as ledger:
        for _ in range(2):
            with pytest.raises(StorageError, match=r"read-?only"):
                ledger.raise_epochs([REQUEST.build_key()])
    assert count_rows(ledger_url, "epochs") == 0


@pytest.mark.parametrize("content", [None, b""])
def test_a_ledger_that_is_not_there_is_empty_and_is_not_made(path, content):
    """Looking at a project that has not run yet leaves nothing behind."""
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    with view(path) as ledger:
        assert ledger.find_answers([REQUEST.build_key()]) == {}
        assert not ledger.has_epochs()
        assert ledger.history.sum_spend("run", since=None) == ()
    assert path.exists() is (content is not None)
    assert content is None or path.read_bytes() == content


@pytest.mark.slow
def test_a_database_without_a_ledger_is_an_empty_one(postgresql):
    """Looking makes no tables on a server either."""
    url = postgresql.make_schema()
    with open_ledger_view(url) as ledger:
        assert not ledger.has_epochs()
        assert ledger.history.sum_spend("run", since=None) == ()
    with open_database(url) as connection:
        assert inspect(connection).get_table_names() == []


def test_a_view_sees_a_run_that_goes_on(ledger_url):
    """What another process puts on record while it looks is there, and no one waits for the other."""
    with open_ledger(ledger_url) as ledger, open_ledger_view(ledger_url) as seen:
        assert seen.history.sum_spend("day", since=None) == ()
        put_records(ledger, [build_record(REQUEST)])
        with ledger._write():
            assert set(seen.find_answers([REQUEST.build_key()])) == {REQUEST.build_key()}


def test_a_foreign_file_is_told(path):
    """A file that is no database, and a ledger of another version, are named as what they are."""
    path.parent.mkdir()
    path.write_text(
        "no database at all, but long enough to be taken for one" * 20, encoding="utf-8"
    )
    with pytest.raises(StorageError, match="cannot be read"), view(path):
        pass
    path.unlink()
    put_one(build_url(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update ledger_format set version = 99")
        connection.commit()
    with pytest.raises(StorageError, match="has format 99"), view(path):
        pass


def test_a_view_lets_go_of_the_file(path, monkeypatch):
    """Nothing stays open behind it."""
    put_one(build_url(path))
    let_go = []
    dispose = Engine.dispose
    monkeypatch.setattr(Engine, "dispose", lambda self: (let_go.append(self), dispose(self))[1])
    with view(path):
        pass
    assert len(let_go) == 1
