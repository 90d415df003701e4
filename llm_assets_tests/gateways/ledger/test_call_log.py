from dataclasses import replace

import pytest

from llm_assets.core.call_log import LoggedAnswer, LoggedFault, group_by_key
from llm_assets.core.ids import CallKey, TaskName, WorkId
from llm_assets_tests.fakes import (
    build_answer,
    build_fault,
    build_record,
    build_request,
    put_records,
)

TRIAGE = TaskName("triage")


def put_for(ledger, work_id, request, *results):
    """Put calls of an item on record."""
    for result in results:
        record = build_record(request, result) if result else build_record(request)
        origin = replace(record.origin, work_id=WorkId(work_id))
        put_records(ledger, [replace(record, task=TRIAGE, origin=origin)])


def test_every_try_of_a_call(ledger):
    """In the order in which they were made, with the words sent, each with its answer or its fault."""
    request, other = build_request("Hello."), build_request("Bye.")
    key = request.build_key()
    put_for(ledger, "w1", request, build_fault(), build_answer(key, "Hi."))
    put_for(ledger, "w2", other, None)
    calls = ledger.call_log.load_calls([key, key, CallKey("unknown")])
    fault, answer = [call.result for call in calls]
    assert isinstance(fault, LoggedFault)
    assert (fault.kind, fault.http_status) == ("server_error", 500)
    assert isinstance(answer, LoggedAnswer)
    assert answer.text == "Hi."
    assert [call.messages for call in calls] == [request.messages] * 2
    assert group_by_key(calls) == {key: calls}


def test_calls_of_an_item(ledger):
    """All that were ever made for it, and none of other items or tasks."""
    requests = [build_request(f"Number {at}.") for at in range(3)]
    for work_id, request in zip(("w1", "w2", "w1"), requests, strict=True):
        put_for(ledger, work_id, request, None)
    calls = ledger.call_log.load_item_calls(TRIAGE, WorkId("w1"))
    assert [call.key for call in calls] == [requests[0].build_key(), requests[2].build_key()]
    assert ledger.call_log.load_item_calls(TaskName("other"), WorkId("w1")) == ()


@pytest.mark.parametrize(
    ("beginning", "found"), [("a", ("ab", "a_c")), ("a_", ("a_c",)), ("A", ("AB",)), ("x", ())]
)
def test_items_by_the_beginning_of_their_names(ledger, beginning, found):
    """To the letter: no character of it stands for others, and capitals count."""
    for at, work_id in enumerate(("ab", "a_c", "AB", "ab")):
        put_for(ledger, work_id, build_request(f"Number {at}."), None)
    assert set(ledger.call_log.list_work_ids(TRIAGE, beginning)) == set(found)
