from typing import Any

import openpyxl
import pytest
from upath import UPath

from llm_assets.core.corrections import Corrections
from llm_assets.core.gate import GateDecisions
from llm_assets.core.published import Published, build_published
from llm_assets.core.review_book import build_review_book
from llm_assets.core.review_queue import ReviewQueue, build_review_queue
from llm_assets.errors import InputError
from llm_assets.gateways.artifacts import load_records, write_records
from llm_assets.gateways.ledger.corrections import load_corrections
from llm_assets.gateways.review_workbook import SHEET, write_review_workbook
from llm_assets.gateways.reviewing import import_review
from llm_assets_tests.core.reviews import (
    FORMS,
    MARCH,
    NOON,
    TASK,
    build_ends,
    build_items,
    build_rows,
    build_ticket,
    decide,
    match,
)
from llm_assets_tests.fakes import FakeClock

TICKETS = [build_ticket(confidence=number) for number in (0.9, 0.2, 0.3, 0.4)] + [None]
ROWS = tuple({"id": f"r{number}", "text": f"Text {number}"} for number in range(1, 6))


class Batch:
    """A batch that is answered, and whatever is made of it."""

    def __init__(self, url, *, rows=ROWS, outputs=TICKETS):
        self.url = url
        self.snapshot = build_rows(*rows, ids=[row["id"] for row in rows])
        self.items = build_items(self.snapshot)
        self.outputs = build_ends(self.items, *outputs)

    @property
    def corrections(self):
        return match(load_corrections(self.url, TASK), self.snapshot, self.items)

    @property
    def gate(self):
        return decide(self.items, self.outputs, self.corrections)

    @property
    def queue(self):
        return build_review_queue(
            self.snapshot,
            self.items,
            self.outputs,
            gate=self.gate,
            task=TASK,
            batch=MARCH,
            id_column="id",
        )

    @property
    def published(self):
        return build_published(
            self.snapshot,
            self.outputs,
            gate=self.gate,
            corrections=self.corrections,
            mode="row",
            batch=MARCH,
        )


@pytest.fixture
def url(tmp_path):
    """The ledger's URL."""
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture
def batch(url):
    """Five rows: one passes, three are below the gate, one failed."""
    return Batch(url)


@pytest.fixture
def path(tmp_path, batch):
    """The workbook of what waits."""
    path = tmp_path / "march.xlsx"
    write_review_workbook(path, build_review_book(batch.queue, FORMS, reviewer="Ana"))
    return path


def edit(path, edits):
    workbook: Any = openpyxl.load_workbook(path)
    sheet = workbook[SHEET]
    names = [cell.value for cell in sheet[1]]
    for (row, name), value in edits.items():
        sheet.cell(row, names.index(name) + 1).value = value
    workbook.save(path)


def take_in(path, url):
    return import_review(
        path, shown="march.xlsx", task=TASK, forms=FORMS, ledger_url=url, clock=FakeClock()
    )


DECIDED = {
    (2, "decision"): "approve",
    (3, "decision"): "edit",
    (3, "label"): "other",
    (4, "decision"): "reject",
}


def test_a_review_goes_round(batch, path, url):
    """What was below the gate is published, rewritten or turned down as a person said, and the queue is empty."""
    assert batch.gate.meta.routes == {
        "published": 1,
        "review_queue": 3,
        "turned_down": 0,
        "failed": 1,
    }
    edit(path, DECIDED)
    taken = take_in(path, url)
    assert taken.decisions == {"approve": 1, "edit": 1, "reject": 1}
    assert (taken.n_added, taken.n_open, taken.batch, taken.taken_in_at) == (3, 0, MARCH, None)
    assert batch.gate.meta.routes == {
        "published": 3,
        "review_queue": 0,
        "turned_down": 1,
        "failed": 1,
    }
    assert batch.queue.records == ()
    records = batch.published.records
    assert [(record.origin, record.output["label"]) for record in records] == [
        ("model", "refund"),
        ("person", "refund"),
        ("person", "other"),
    ]


def test_decisions_outlive_new_answers(batch, path, url):
    """Another prompt, another model, a forced run: what a person decided stays; after a change of the row it is flagged."""
    edit(path, DECIDED)
    take_in(path, url)
    before = batch.published
    again = Batch(url, outputs=[*TICKETS[:1], *[build_ticket(confidence=0.99, urgency=1)] * 4])
    assert again.published.records[:3] == before.records
    changed = [*ROWS[:1], {"id": "r2", "text": "New"}, *ROWS[2:]]
    flagged = Batch(url, rows=changed)
    assert flagged.gate.meta.n_outdated == 1
    assert [record.work_id for record in flagged.queue.records] == [
        flagged.items.records[1].work_id
    ]
    assert "no longer applies" in flagged.queue.records[0].why


def test_a_file_put_in_twice_counts_once(batch, path, url):
    """The second time says when the first was."""
    edit(path, DECIDED)
    take_in(path, url)
    taken = take_in(path, url)
    assert (taken.n_added, taken.n_known) == (0, 3)
    assert taken.taken_in_at is not None
    assert len(load_corrections(url, TASK)) == 3


def test_one_mistake_keeps_all_out(batch, path, url):
    """Nothing is on record afterwards, and the message names the file, the sheet, the row and the column."""
    edit(path, DECIDED | {(3, "label"): "refnd"})
    with pytest.raises(InputError, match=r"march\.xlsx has 1 problem") as caught:
        take_in(path, url)
    assert "sheet 'review', row 3, column E (label)" in str(caught.value)
    assert load_corrections(url, TASK) == ()


COLLECTIONS = {
    "corrections": Corrections,
    "gate": GateDecisions,
    "queue": ReviewQueue,
    "published": Published,
}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_stage_can_be_kept(batch, path, url, tmp_path, name):
    """What is written to a file of JSON lines comes back as it was."""
    edit(path, {key: value for key, value in DECIDED.items() if key[0] != 4})
    take_in(path, url)
    value = getattr(batch, name)
    assert value.records
    target = UPath(tmp_path / "stage.jsonl")
    write_records(target, value)
    assert load_records(target, COLLECTIONS[name], shown=name) == value


def test_a_published_record_keeps_its_time(batch, path, url):
    """A later run writes the same bytes: the time is that of the answer, or of the decision."""
    edit(path, DECIDED)
    take_in(path, url)
    assert batch.published.records[0].enriched_at == NOON
    assert batch.published == Batch(url).published
