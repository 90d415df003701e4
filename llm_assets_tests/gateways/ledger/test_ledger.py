import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.calls import Message, Usage
from llm_assets.core.ids import BatchKey, CallKey, TaskName
from llm_assets.core.server_replies import MAX_COUNT
from llm_assets.errors import StorageError
from llm_assets.gateways.ledger import engine
from llm_assets.gateways.ledger.ledger import Ledger, open_ledger
from llm_assets.gateways.ledger.reading import KEYS_PER_QUERY
from llm_assets_tests.fakes import (
    build_answer,
    build_fault,
    build_record,
    build_request,
    put_records,
)
from llm_assets_tests.postgresql.stores import (
    STORES,
    build_ledger_url,
    count_rows,
    open_database,
)

TRIAGE, MARCH = TaskName("triage"), BatchKey("march")


@pytest.fixture
def path(tmp_path):
    """Where the ledger's file lies."""
    return tmp_path / "data" / "ledger.sqlite"


@pytest.fixture(scope="module", params=STORES)
def shared_ledger(request, tmp_path_factory):
    """One ledger for many examples."""
    with open_ledger(build_ledger_url(request, tmp_path_factory.mktemp("shared"))) as opened:
        yield opened


def answer_all(ledger, requests, **changes):
    records = [
        build_record(request, build_answer(request.build_key(), **changes)) for request in requests
    ]
    put_records(ledger, records)
    return [record.key for record in records]


def test_an_answer_comes_back_as_it_was_put(ledger_url):
    """Every field of an answer survives, also in another process's view of the ledger."""
    request = build_request("What is it?")
    answer = build_answer(
        request.build_key(),
        text="Größe 🎉 \u2028 \x00 end",
        refusal="no",
        finish_reason="content_filter",
        usage=Usage(
            prompt_tokens=MAX_COUNT,
            completion_tokens=6,
            cached_tokens=5,
            reasoning_tokens=4,
            is_approximate=True,
        ),
        cost_usd=None,
        request_id=None,
    )
    with open_ledger(ledger_url) as ledger:
        put_records(ledger, [build_record(request, answer)])
    with open_ledger(ledger_url) as ledger:
        assert ledger.find_answers([answer.key]) == {answer.key: answer}


def test_the_first_of_several_answers_counts(ledger):
    """Where two runs paid for the same call, every reader gets the answer that came first."""
    request = build_request()
    for text in ("first", "second", "third"):
        answer_all(ledger, [request], text=text)
    assert ledger.find_answers([request.build_key()])[request.build_key()].text == "first"


def test_a_fault_is_no_answer(ledger):
    """A call that only failed is still to be sent; one that was answered after a fault is answered."""
    failed, mended = build_request("a"), build_request("b")
    put_records(ledger, [build_record(request, build_fault()) for request in (failed, mended)])
    answer_all(ledger, [mended])
    assert set(ledger.find_answers([failed.build_key(), mended.build_key()])) == {
        mended.build_key()
    }


def test_more_keys_than_fit_into_a_query(ledger):
    """Look-ups of any size find every answer, and nothing is asked twice of the database in vain."""
    requests = [build_request(str(n)) for n in range(2 * KEYS_PER_QUERY + 3)]
    keys = answer_all(ledger, requests)
    unknown = CallKey("unknown")
    assert set(ledger.find_answers(iter([unknown, *keys]))) == set(keys)
    assert ledger.find_answers([]) == {}


def test_epochs_rise_by_one_and_are_kept(ledger_url):
    """Forcing an item anew raises its epoch each time; one never forced has none."""
    first, second, never = map(CallKey, ("first", "second", "never"))
    with open_ledger(ledger_url) as ledger:
        assert not ledger.has_epochs()
        assert ledger.raise_epochs([first, first]) == {first: 1}
        assert ledger.raise_epochs([first, second]) == {first: 2, second: 1}
    with open_ledger(ledger_url) as ledger:
        assert ledger.has_epochs()
        assert ledger.find_epochs([first, second, never]) == {first: 2, second: 1}


def test_epochs_of_many_items_are_raised_at_once(ledger):
    """More items than fit into a query are all raised."""
    keys = [CallKey(str(n)) for n in range(KEYS_PER_QUERY + 1)]
    assert ledger.raise_epochs(keys) == dict.fromkeys(keys, 1)


@given(
    before=st.text(),
    shared=st.lists(st.text(min_size=1), max_size=3),
    after=st.text(),
    system=st.text(),
)
def test_messages_come_back_byte_for_byte(shared_ledger, before, shared, after, system):
    """What was sent is what is shown later, however it was cut into parts."""
    messages = (
        Message(role="system", content=system),
        Message(role="user", content=before + "".join(shared) + after),
        Message(role="assistant", content=""),
    )
    request = build_request(messages=messages)
    put_records(shared_ledger, [build_record(request, shared_texts=tuple(shared))])
    assert shared_ledger.load_messages(request.build_key()) == messages


def test_parts_are_stored_once(ledger, ledger_url):
    """A long text that a thousand messages hold takes its place once; a call sent twice is one request."""
    schema = "the schema " * 100
    requests = [build_request(f"{schema}row {n % 10}") for n in range(50)]
    put_records(ledger, [build_record(request, shared_texts=(schema,)) for request in requests])
    n_shapes, n_rows = 1, 10
    assert count_rows(ledger_url, "parts") == n_shapes + n_rows + 1
    assert count_rows(ledger_url, "requests") == n_rows
    assert count_rows(ledger_url, "calls") == len(requests)


def test_an_unknown_call_has_no_messages(ledger):
    """A key that was never sent is told as such."""
    with pytest.raises(StorageError, match="has no call 'abc'"):
        ledger.load_messages(CallKey("abc"))


def test_writes_are_durable_by_the_databases_own_account(path):
    """Every connection to a file runs in WAL mode with full synchronisation."""
    with open_ledger(f"sqlite:///{path}") as ledger, ledger._write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_group_is_written_as_a_whole_or_not_at_all(ledger, ledger_url):
    """A group that cannot be finished leaves no call without its request."""
    good, bad = build_request("a"), build_request("half a character: \ud800")
    with pytest.raises(UnicodeEncodeError):
        ledger._write_records([build_record(good), build_record(bad)])
    assert [count_rows(ledger_url, table) for table in ("calls", "requests", "parts")] == [0, 0, 0]


def test_reading_does_not_wait_for_a_writer(ledger, ledger_url, monkeypatch):
    """While another process writes, answers are found at once."""
    keys = answer_all(ledger, [build_request()])
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_SECONDS", 0.01)
    with ledger._write(), open_reader(ledger_url) as reader:
        assert set(reader.find_answers(keys)) == set(keys)
        assert not reader.has_epochs()


def open_reader(url):
    """The ledger, opened while somebody else is writing to it: its tables are known to be there."""
    return closing(Ledger(engine.build_engine(url)))


def test_a_ledger_that_stays_locked_is_told(ledger, ledger_url, monkeypatch):
    """A writer that never ends is named after the time-out, not waited for in silence."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_SECONDS", 0.01)
    with (
        ledger._write(),
        open_reader(ledger_url) as second,
        pytest.raises(
            StorageError, match=r"cannot be written: .*(database is locked|lock timeout)"
        ),
    ):
        second.raise_epochs([CallKey("a")])


def test_many_writers_at_once_lose_nothing(ledger_url):
    """Several writers on one ledger, each with its own connections, meet no lock and keep every record."""
    n_writers, n_each = 4, 30
    errors: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            with open_ledger(ledger_url) as ledger:
                for n in range(n_each):
                    answer_all(ledger, [build_request(f"{writer}/{n}")])
        except BaseException as exc:  # noqa: BLE001 -- a thread's edge
            errors.append(exc)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(n_writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert count_rows(ledger_url, "calls") == n_writers * n_each


def test_an_interrupted_run_keeps_what_it_put(ledger_url):
    """Records put before the task was cancelled are there after the ledger was closed."""
    requests = [build_request(str(n)) for n in range(100)]

    async def run(ledger):
        with ledger.open_writer() as writer:
            puts = [asyncio.ensure_future(writer.put(build_record(r))) for r in requests]
            await asyncio.sleep(0)
            for put in puts:
                put.cancel()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_ledger(ledger_url) as ledger:
        asyncio.run(run(ledger))
    assert count_rows(ledger_url, "calls") == len(requests)


def test_a_newer_format_is_refused_and_left_alone(path):
    """A ledger of a later version is named with what to do, and not a byte of it changes."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table ledger_format (version integer primary key)")
        connection.execute("insert into ledger_format values (99)")
        connection.commit()
        connection.execute("PRAGMA journal_mode=WAL")
    before = path.read_bytes()
    with (
        pytest.raises(StorageError, match=r"has format 99; this version .* reads 1\. Use the"),
        open_ledger(f"sqlite:///{path}"),
    ):
        pass
    assert path.read_bytes() == before


def test_a_newer_format_is_refused_in_every_store(ledger_url):
    """A ledger of a later version is neither read nor written, wherever it lies."""
    open_once(ledger_url)
    with open_database(ledger_url) as connection:
        connection.exec_driver_sql("update ledger_format set version = 99")
    with pytest.raises(StorageError, match=r"has format 99; this version .* reads 1\. Use the"):
        open_once(ledger_url)


@pytest.mark.parametrize("folder", ["data", "data/ledger.sqlite/deeper"])
def test_a_path_that_cannot_be_a_ledger_is_told(path, folder):
    """A file that is no database, and a folder that is a file, make one message each."""
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 500)
    target = path.parent.parent / folder / "ledger.sqlite"
    with pytest.raises(StorageError, match="The ledger cannot be opened:"):
        open_once(f"sqlite:///{target}")
    assert path.read_bytes() == b"no database at all" * 500


def test_a_folder_without_permission_is_told(tmp_path):
    """Where nothing can be written, the message says so with what to check."""
    with pytest.raises(StorageError, match="cannot be opened") as caught:
        open_once("sqlite:////proc/self/ledger.sqlite")
    assert "Check the" in caught.value.remedy


@pytest.mark.parametrize(
    "url",
    ["nonsense", "nosuchkind://anna:hunter2@host/db", "postgresql+nodriver://anna:hunter2@h/d"],
)
def test_a_url_that_names_no_database_is_told_without_its_password(url):
    """A wrong ledger URL is a sentence with a remedy, and a password in it stays hidden."""
    with pytest.raises(StorageError, match="The ledger cannot be opened:") as caught:
        open_once(url)
    assert "hunter2" not in str(caught.value)


def open_once(url):
    with open_ledger(url):
        pass
