import json

import pytest

from llm_assets.core.calls import Message
from llm_assets.gateways.ledger import tables
from llm_assets.gateways.ledger.records import build_call_row, build_request_rows
from llm_assets_tests.fakes import build_fault, build_record, build_request, build_settings

SECRET_FREE_COLUMNS = {column.name for column in tables.calls.columns} - {"id"}


@pytest.mark.parametrize("result", [None, build_fault()])
def test_a_row_names_every_column(result):
    """Answers and faults make rows of the same columns, so that they share an insert."""
    assert set(build_call_row(build_record(build_request(), result))) == SECRET_FREE_COLUMNS


def test_a_fault_has_no_answer_and_an_answer_no_fault():
    """A row is one or the other, told apart by `fault_kind`."""
    answer = build_call_row(build_record(build_request()))
    fault = build_call_row(build_record(build_request(), build_fault("timed_out")))
    assert (answer["fault_kind"], fault["fault_kind"]) == (None, "timed_out")
    assert (answer["text"], fault["text"]) == ("fine", None)
    assert (answer["cost_usd"], fault["cost_usd"]) == ("0.01", None)


def test_a_request_is_kept_with_all_that_was_sent():
    """Settings, caps and counters are in it; texts stand beside it by their hashes."""
    settings = build_settings(parameters={"temperature": 0.5}, response_format={"type": "x"})
    request = build_request(
        messages=[Message(role="system", content="sys"), Message(role="user", content="a|b|c")],
        settings=settings,
        max_output_tokens=9,
        attempt=2,
    )
    rows = build_request_rows(build_record(request, shared_texts=("b",)))
    texts = {part["sha256"]: part["text"] for part in rows.parts}
    body = json.loads(str(rows.request["body"]))
    assert (body["max_output_tokens"], body["attempt"], body["epoch"]) == (9, 2, 0)
    assert json.loads(str(texts[body["settings"]]))["parameters"] == {"temperature": 0.5}
    sent = [(role, [texts[sha256] for sha256 in pieces]) for role, pieces in body["messages"]]
    assert sent == [("system", ["sys"]), ("user", ["a|", "b", "|c"])]


def test_equal_texts_are_one_part():
    """A text that stands twice in a message is stored once."""
    request = build_request(messages=[Message(role=role, content="x") for role in ("user",) * 2])
    rows = build_request_rows(build_record(request))
    assert [part["text"] for part in rows.parts].count("x") == 1
