"""A ledger that was written before calls had steps."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from llm_assets.core.ids import CallKey, Sha256, StepName, TaskName, WorkId
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.ledger.tables import ADDED_COLUMNS
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets_tests.fakes import ORIGIN, build_record, build_request, put_records

DUMP = Path(__file__).with_name("first_version.sql")
TRIAGE = TaskName("triage")
STEP = StepName("extract")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file as the first version left it: one answer, one fault, one item that was forced."""
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def answered(path: Path) -> CallKey:
    """The call that was answered."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT call_key FROM calls WHERE fault_kind IS NULL"
        return CallKey(connection.execute(query).fetchone()[0])


def list_columns(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[1] for row in connection.execute("PRAGMA table_info(calls)")}


def put_step(ledger) -> None:
    """A call of a step for the same item."""
    origin = replace(ORIGIN, step=STEP, upstream_sha256=Sha256("u"))
    put_records(ledger, [replace(build_record(build_request("New?")), origin=origin)])


def test_what_was_paid_for_is_not_paid_for_again(path: Path, answered: CallKey):
    """After an update every answer, every message and every epoch is found as before."""
    assert not list_columns(path) & set(ADDED_COLUMNS)
    with open_ledger(f"sqlite:///{path}") as ledger:
        assert ledger.find_answers([answered])[answered].text == "fine"
        assert ledger.load_messages(answered)[0].content == "Where is it?"
        assert ledger.find_epochs([answered]) == {answered: 1}
        latest = ledger.history.find_latest_calls([WorkId("w1")], task=TRIAGE, purpose="generate")
        assert latest[WorkId("w1")].upstream_sha256 is None
    assert set(ADDED_COLUMNS) <= list_columns(path)


def test_calls_of_steps_stand_beside_those_of_the_first_version(path: Path, answered: CallKey):
    """New calls carry their step; the old ones have none, and neither is taken for the other's."""
    with open_ledger(f"sqlite:///{path}") as ledger:
        put_step(ledger)
    with open_ledger(f"sqlite:///{path}") as ledger:
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


def test_a_view_shows_it_and_leaves_it_as_it_is(path: Path, answered: CallKey):
    """A plan reads an older ledger as if its calls had no step, and adds nothing to the file."""
    before = path.read_bytes()
    with open_ledger_view(f"sqlite:///{path}") as ledger:
        assert ledger.find_answers([answered]).keys() == {answered}
        assert [spend.name for spend in ledger.history.sum_spend("step", since=None)] == ["triage"]
        found = ledger.history.list_past_answers(
            purpose="generate", model=build_request("x").settings.model, limit=5, task=TRIAGE
        )
        assert [past.key for past in found] == [answered]
    assert path.read_bytes() == before


def test_two_processes_can_open_it_at_once(path: Path):
    """Whoever comes first adds the columns; the others find them."""

    def open_it(_: int) -> int:
        with open_ledger(f"sqlite:///{path}") as ledger:
            return len(ledger.history.sum_spend("task", since=None))

    with ThreadPool(4) as pool:
        assert pool.map(open_it, range(8)) == [1] * 8


def test_the_first_version_goes_on_with_it(path: Path):
    """A program that knows nothing of steps writes its rows as before; what it does not name stays empty."""
    with open_ledger(f"sqlite:///{path}"):
        pass
    with closing(sqlite3.connect(path)) as connection:
        names = ", ".join(sorted(list_columns(path) - {"id", *ADDED_COLUMNS}))
        connection.execute(f"INSERT INTO calls ({names}) SELECT {names} FROM calls LIMIT 1")  # noqa: S608 -- names of columns
        connection.commit()
        rows = connection.execute("SELECT step FROM calls").fetchall()
    assert rows == [(None,)] * 3
