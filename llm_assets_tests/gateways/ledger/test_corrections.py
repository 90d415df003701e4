import json
import multiprocessing

import pytest
from sqlalchemy import inspect, select, update

from llm_assets.core.corrections import CorrectionSource, Decision
from llm_assets.core.ids import Sha256, TaskName
from llm_assets.errors import StorageError
from llm_assets.gateways.ledger.corrections import (
    corrections,
    load_corrections,
    open_corrections,
)
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.core.reviews import LATER, TASK, build_correction, build_ticket
from llm_assets_tests.postgresql.stores import open_database

N_PROCESSES = 3
FULL = {
    "sqlite": [
        (
            "CREATE TRIGGER full_disk BEFORE INSERT ON corrections WHEN NEW.item_key = 'r3' "
            "BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    ],
    "postgresql": [
        "CREATE FUNCTION fail() RETURNS trigger AS 'BEGIN RAISE ''disk is full''; END' LANGUAGE plpgsql",
        (
            "CREATE TRIGGER full_disk BEFORE INSERT ON corrections FOR EACH ROW "
            "WHEN (NEW.item_key = 'r3') EXECUTE FUNCTION fail()"
        ),
    ],
}
"""What makes the decision on the row r3 one that cannot be written."""


@pytest.fixture
def url(ledger_url):
    """The ledger's URL, in each kind of store."""
    return ledger_url


def from_file(name, *made):
    """Decisions as one workbook brings them."""
    return [
        each.model_copy(
            update={
                "source": CorrectionSource(file=f"{name}.xlsx", sha256=Sha256(name * 64), row=at)
            }
        )
        for at, each in enumerate(made, start=2)
    ]


def add(url, made):
    with open_corrections(url) as store:
        return store.add(made)


def test_decisions_come_back_as_they_were(url):
    """Every field survives, in the order in which they came, and by task."""
    made = from_file(
        "a",
        build_correction(output=build_ticket(summary="Größe \N{GRINNING FACE} \x07")),
        build_correction("reject", key="r2", note="Ä"),
    )
    other = from_file("a", build_correction(task=TaskName("other")))
    assert add(url, made).n_added == 2
    assert add(url, other).n_added == 1
    assert load_corrections(url, TASK) == tuple(made)
    assert load_corrections(url, TaskName("other")) == tuple(other)


def test_looking_makes_nothing(url, tmp_path):
    """Without a ledger there are no decisions, and there is no ledger afterwards."""
    assert load_corrections(url, TASK) == ()
    assert list(tmp_path.iterdir()) == []
    if url.startswith("postgresql"):
        with open_database(url) as connection:
            assert inspect(connection).get_table_names() == []


def test_a_ledger_without_decisions_is_one(url):
    """The table comes with the first decision, also into a ledger that is older."""
    with open_ledger(url):
        pass
    assert load_corrections(url, TASK) == ()
    assert add(url, from_file("a", build_correction())).n_added == 1
    with open_ledger(url) as ledger:
        assert not ledger.has_epochs()


def test_the_same_file_adds_nothing(url):
    """Also where another file came in between: an old workbook does not undo what came after it."""
    first = from_file("a", build_correction("approve"))
    second = from_file("b", build_correction("reject"))
    add(url, first)
    add(url, second)
    again = add(url, first)
    assert (again.n_added, again.n_known, again.taken_in_at) == (0, 1, LATER)
    assert [each.decision for each in load_corrections(url, TASK)] == ["approve", "reject"]


def test_what_stands_already_is_left_out(url):
    """A workbook that was saved again and holds one more decision adds that one."""
    add(url, from_file("a", build_correction(), build_correction("reject", key="r2")))
    more = from_file(
        "b",
        build_correction(),
        build_correction("reject", key="r2"),
        build_correction(key="r3"),
    )
    addition = add(url, more)
    assert (addition.n_added, addition.n_known, addition.taken_in_at) == (1, 2, None)
    assert [each.key for each in load_corrections(url, TASK)] == ["r1", "r2", "r3"]


def test_a_decision_can_be_taken_back_and_made_again(url):
    """What a person says last counts, also where they said it before."""
    said: dict[str, Decision] = {"a": "approve", "b": "reject", "c": "approve"}
    for name, decision in said.items():
        assert add(url, from_file(name, build_correction(decision))).n_added == 1
    assert [each.decision for each in load_corrections(url, TASK)] == [
        "approve",
        "reject",
        "approve",
    ]


def test_no_decisions_are_none(url):
    """A workbook that nobody filled in touches nothing."""
    addition = add(url, [])
    assert (addition.n_added, addition.n_known) == (0, 0)


def test_nothing_is_half_added(url):
    """Where one decision cannot be written, none of its workbook is."""
    add(url, from_file("a", build_correction()))
    with open_database(url) as connection:
        for statement in FULL[connection.dialect.name]:
            connection.exec_driver_sql(statement)
    many = from_file("b", build_correction(key="r2"), build_correction(key="r3"))
    with pytest.raises(StorageError, match="disk is full"):
        add(url, many)
    assert [each.key for each in load_corrections(url, TASK)] == ["r1"]


def test_a_newer_format_is_told(url):
    """A decision that this version may misread is not guessed at."""
    add(url, from_file("a", build_correction()))
    with open_database(url) as connection:
        body = json.loads(connection.execute(select(corrections.c.body)).scalar_one())
        body |= {"format_version": 2, "new": True}
        connection.execute(update(corrections).values(format_version=2, body=json.dumps(body)))
    with pytest.raises(StorageError, match="have format 2"):
        load_corrections(url, TASK)


def test_a_broken_ledger_is_told(tmp_path):
    """The database's own words come with a remedy."""
    path = tmp_path / "ledger.sqlite"
    path.write_text("no database")
    with pytest.raises(StorageError, match="The ledger cannot be"):
        add(f"sqlite:///{path}", from_file("a", build_correction()))


def test_two_connections_take_turns(url):
    """Of two that take in the same file at once, one adds its decisions."""
    made = from_file("a", build_correction())
    with open_corrections(url) as one, open_corrections(url) as two:
        assert [one.add(made).n_added, two.add(made).n_added] == [1, 0]
        assert one.load(TASK) == two.load(TASK) == tuple(made)


def _add_in_process(url, number, barrier, queue):
    barrier.wait(timeout=30)
    shared = from_file("a", *(build_correction(key=f"s{at}") for at in range(20)))
    own = from_file(str(number), *(build_correction(key=f"p{number}-{at}") for at in range(20)))
    queue.put((add(url, shared).n_added, add(url, own).n_added))


@pytest.mark.slow
def test_processes_take_turns(url):
    """Several processes that begin with a new ledger lose nothing and add nothing twice."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(N_PROCESSES), context.Queue()
    processes = [
        context.Process(target=_add_in_process, args=(url, number, barrier, queue))
        for number in range(N_PROCESSES)
    ]
    for process in processes:
        process.start()
    counts = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    assert sorted(shared for shared, _ in counts) == [0] * (N_PROCESSES - 1) + [20]
    assert [own for _, own in counts] == [20] * N_PROCESSES
    keys = [each.key for each in load_corrections(url, TASK)]
    assert len(keys) == len(set(keys)) == 20 * (N_PROCESSES + 1)
