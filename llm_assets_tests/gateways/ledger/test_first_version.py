"""A ledger that was written before calls had steps."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from llm_assets.core.ids import CallKey, Sha256, StepName, TaskName, WorkId
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.ledger.tables import ADDED_COLUMNS
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets_tests.fakes import ORIGIN, build_record, build_request, put_records
from llm_assets_tests.postgresql.stores import open_database

DUMP = Path(__file__).with_name("first_version.sql").read_text(encoding="utf-8")
TRIAGE = TaskName("triage")
STEP = StepName("extract")


@pytest.fixture
def url(ledger_url: str) -> str:
    """The ledger as the first version left it: one answer, one fault, one item that was forced."""
    if ledger_url.startswith("sqlite"):
        path = Path(ledger_url.removeprefix("sqlite:///"))
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as database:
            database.executescript(DUMP)
        return ledger_url
    with closing(sqlite3.connect(":memory:")) as source, open_database(ledger_url) as target:
        source.executescript(DUMP)
        copy_database(source, target)
    return ledger_url


def copy_database(source: sqlite3.Connection, target: Connection) -> None:
    """Make the same tables in PostgreSQL, which counts by itself and tells numbers from truth values."""
    made = source.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    for kind, name, statement in made.fetchall():
        target.exec_driver_sql(statement.replace("id INTEGER", "id SERIAL", 1))
        if kind == "index":
            continue
        rows = source.execute(f"SELECT * FROM {name}")  # noqa: S608 -- a table's name
        columns = [column for column, *_ in rows.description]
        for row in rows.fetchall():
            given = {key: value for key, value in zip(columns, row, strict=True) if key != "id"}
            if given.get("is_approximate") is not None:
                given["is_approximate"] = bool(given["is_approximate"])
            names, values = ", ".join(given), ", ".join(f"%({key})s" for key in given)
            target.exec_driver_sql(f"INSERT INTO {name} ({names}) VALUES ({values})", given)  # noqa: S608 -- names of columns


@pytest.fixture
def answered(url: str) -> CallKey:
    """The call that was answered."""
    with open_database(url) as database:
        query = "SELECT call_key FROM calls WHERE fault_kind IS NULL"
        return CallKey(database.exec_driver_sql(query).scalar_one())


def list_columns(url: str) -> set[str]:
    with open_database(url) as database:
        return {column["name"] for column in inspect(database).get_columns("calls")}


def put_step(ledger) -> None:
    """A call of a step for the same item."""
    origin = replace(ORIGIN, step=STEP, upstream_sha256=Sha256("u"))
    put_records(ledger, [replace(build_record(build_request("New?")), origin=origin)])


def test_what_was_paid_for_is_not_paid_for_again(url: str, answered: CallKey):
    """After an update every answer, every message and every epoch is found as before."""
    assert not list_columns(url) & set(ADDED_COLUMNS)
    with open_ledger(url) as ledger:
        assert ledger.find_answers([answered])[answered].text == "fine"
        assert ledger.load_messages(answered)[0].content == "Where is it?"
        assert ledger.find_epochs([answered]) == {answered: 1}
        latest = ledger.history.find_latest_calls([WorkId("w1")], task=TRIAGE, purpose="generate")
        assert latest[WorkId("w1")].upstream_sha256 is None
    assert set(ADDED_COLUMNS) <= list_columns(url)


def test_calls_of_steps_stand_beside_those_of_the_first_version(url: str, answered: CallKey):
    """New calls carry their step; the old ones have none, and neither is taken for the other's."""
    with open_ledger(url) as ledger:
        put_step(ledger)
    with open_ledger(url) as ledger:
        history = ledger.history
        assert {spend.name: spend.n_calls for spend in history.sum_spend("step", since=None)} == {
            "triage": 2,
            "triage/extract": 1,
        }
        find = history.find_latest_calls
        old = find([WorkId("w1")], task=TRIAGE, purpose="generate")
        new = find([WorkId("w1")], task=TRIAGE, purpose="generate", step=STEP)
        assert (old[WorkId("w1")].is_answered, new[WorkId("w1")].upstream_sha256) == (False, "u")
        assert ledger.find_answers([answered]).keys() == {answered}


def test_a_view_shows_it_and_leaves_it_as_it_is(url: str, answered: CallKey):
    """A plan reads an older ledger as if its calls had no step, and adds nothing to it."""
    before = read_file(url)
    with open_ledger_view(url) as ledger:
        assert ledger.find_answers([answered]).keys() == {answered}
        assert [spend.name for spend in ledger.history.sum_spend("step", since=None)] == ["triage"]
        found = ledger.history.list_past_answers(
            purpose="generate", model=build_request("x").settings.model, limit=5, task=TRIAGE
        )
        assert [past.key for past in found] == [answered]
    assert not list_columns(url) & set(ADDED_COLUMNS)
    assert read_file(url) == before


def read_file(url: str) -> bytes:
    """The ledger's bytes; none for one on a server."""
    is_file = url.startswith("sqlite")
    return Path(url.removeprefix("sqlite:///")).read_bytes() if is_file else b""


def test_two_processes_can_open_it_at_once(url: str):
    """Whoever comes first adds the columns; the others find them."""

    def open_it(_: int) -> int:
        with open_ledger(url) as ledger:
            return len(ledger.history.sum_spend("task", since=None))

    with ThreadPool(4) as pool:
        assert pool.map(open_it, range(8)) == [1] * 8


def test_the_first_version_goes_on_with_it(url: str):
    """A program that knows nothing of steps writes its rows as before; what it does not name stays empty."""
    with open_ledger(url):
        pass
    names = ", ".join(sorted(list_columns(url) - {"id", *ADDED_COLUMNS}))
    with open_database(url) as database:
        database.exec_driver_sql(f"INSERT INTO calls ({names}) SELECT {names} FROM calls LIMIT 1")  # noqa: S608 -- names of columns
        rows = database.exec_driver_sql("SELECT step FROM calls").all()
    assert [tuple(row) for row in rows] == [(None,)] * 3
