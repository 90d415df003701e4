from dataclasses import replace
from datetime import timedelta

from llm_assets.core.ids import BatchKey, CallKey, TaskName
from llm_assets.gateways.ledger.reading import KEYS_PER_QUERY
from llm_assets_tests.fakes import (
    NOON,
    build_answer,
    build_fault,
    build_record,
    build_request,
    put_records,
)

SHARED = "This text stands in the message of every call."
TRIAGE, MARCH = TaskName("triage"), BatchKey("march")


def test_calls_come_back_word_for_word(ledger):
    """Messages, the first answer, and every try that brought none; a part that calls share comes once."""
    requests = [build_request(f"{SHARED} Number {number}.") for number in range(2)]
    first = requests[0].build_key()
    put_records(ledger, [build_record(requests[0], build_fault(), shared_texts=(SHARED,))])
    for text in ("mine", "later"):
        put_records(
            ledger, [build_record(requests[0], build_answer(first, text), shared_texts=(SHARED,))]
        )
    put_records(ledger, [build_record(requests[1], shared_texts=(SHARED,))])
    found = ledger.sent_calls.load([each.build_key() for each in requests])
    call = found.calls[first]
    assert call.answer is not None
    assert (call.answer.text, call.answer.model) == ("mine", "model-of-the-server")
    assert [(fault.kind, fault.http_status, fault.message) for fault in call.faults] == [
        ("server_error", 500, "It broke.")
    ]
    assert tuple(found.join(message) for message in call.messages) == tuple(
        message.content for message in ledger.load_messages(first)
    )
    assert sorted(found.parts.values()) == [" Number 0.", " Number 1.", SHARED]


def test_many_calls_are_read_at_once(ledger):
    """More than a query can name; those that are not on record are left out."""
    requests = [build_request(f"Number {number}.") for number in range(KEYS_PER_QUERY + 3)]
    put_records(ledger, map(build_record, requests))
    keys = [each.build_key() for each in requests]
    found = ledger.sent_calls.load([*keys, CallKey("unknown")])
    assert list(found.calls) == keys
    assert len(found.parts) == len(keys)


def test_the_latest_call_of_a_batch_is_known_by_its_time(ledger):
    """Calls of other batches and tasks do not count, nor those for vectors; without any there is no time."""
    assert ledger.sent_calls.find_latest_time(task=TRIAGE, batch=MARCH) is None
    for minutes, batch in ((1, "march"), (2, "march"), (3, "april")):
        record = build_record(build_request(f"{minutes}"), batch=batch)
        put_records(ledger, [replace(record, recorded_at=NOON + timedelta(minutes=minutes))])
    vector = replace(build_record(build_request("4")), purpose="embed")
    put_records(ledger, [replace(vector, recorded_at=NOON + timedelta(minutes=4))])
    latest = (NOON + timedelta(minutes=2)).isoformat()
    assert ledger.sent_calls.find_latest_time(task=TRIAGE, batch=MARCH) == latest
