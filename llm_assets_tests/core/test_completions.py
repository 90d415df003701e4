import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from llm_assets.core.calls import Fault, Usage
from llm_assets.core.completions import Completion, read_completion
from llm_assets.core.server_replies import MAX_COUNT, MAX_QUOTED_CHARS, read_refused_reply

USAGE = {"prompt_tokens": 12, "completion_tokens": 3}
REPLY = {
    "id": "c-1",
    "model": "m-1-2026",
    "created": 1_770_000_000,
    "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def build_reply(**changes):
    return json.dumps({**REPLY, **changes}).encode()


def build_choice(*, finish_reason: object = "stop", **message):
    return [{"message": {"role": "assistant", **message}, "finish_reason": finish_reason}]


def read(**changes):
    completion = read_completion(build_reply(**changes))
    assert isinstance(completion, Completion), completion
    return completion


def read_fault(body):
    fault = read_completion(body)
    assert isinstance(fault, Fault), fault
    return fault


def refuse(status, body, *, retry_after_seconds=None, request_id=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_refused_reply(
        status, content, retry_after_seconds=retry_after_seconds, request_id=request_id
    )


def test_ordinary_reply():
    """Text, ending, model, tokens and the server's clock are read."""
    assert read() == Completion(
        text="Hi.",
        refusal=None,
        finish_reason="stop",
        model="m-1-2026",
        usage=Usage(prompt_tokens=12, completion_tokens=3),
        created_seconds=1_770_000_000,
    )


def test_reply_with_a_byte_order_mark():
    """A mark before the JSON is no fault."""
    assert isinstance(read_completion(b"\xef\xbb\xbf" + build_reply()), Completion)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<!DOCTYPE html><html><body>Sign in</body></html>",
        b"OK",
        b'data: {"choices": []}\n\ndata: [DONE]',
        build_reply()[:-20],
        build_reply() + build_reply(),
        b"\xff\xfe\x00",
        b"\x80abc",
        b"[" * 100_000,
        b"null",
        b"5",
        b'"text"',
        b"[]",
        b"[1]",
        b"{}",
        build_reply(choices=[]),
        build_reply(choices=None),
        build_reply(choices={}),
        build_reply(choices=[None]),
        build_reply(choices=["text"]),
        build_reply(choices=[{}]),
        build_reply(choices=[{"message": None}]),
        build_reply(choices=[{"message": "text"}]),
        build_reply(choices=build_choice()),
        build_reply(choices=build_choice(content=None)),
        build_reply(choices=build_choice(content=5)),
        build_reply(choices=build_choice(content={})),
        build_reply(choices=build_choice(content=[])),
        build_reply(choices=build_choice(content=["text", {"type": "image_url"}])),
        build_reply(choices=build_choice(content=None, refusal="")),
        build_reply(
            choices=build_choice(content=None, tool_calls=[{}], finish_reason="tool_calls")
        ),
        build_reply(choices=build_choice(content="", finish_reason="error")),
    ],
)
def test_reply_that_is_no_answer(body):
    """A page, a list, half a body, no choices or no content is a fault that passes, whatever the status says."""
    fault = read_fault(body)
    assert fault.kind == "broken_body"
    assert len(fault.message) < 2 * MAX_QUOTED_CHARS


def test_fault_quotes_the_reply():
    """What came instead of an answer can be read, on one line."""
    assert "<html> <b>Sign in</b>" in read_fault(b"<html>\n  <b>Sign in</b>").message
    assert "(empty)" in read_fault(b"").message


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"error": {"message": "Busy.", "code": 503}}, "server_error", "Busy."),
        ({"error": {"message": "Slow down.", "code": 429}}, "rate_limited", "Slow down."),
        ({"error": {"message": "No.", "code": 401}}, "bad_key", "No."),
        ({"error": {"message": "Hm.", "code": "oops"}}, "server_error", "Hm."),
        ({"error": {"message": "Hm.", "code": 7}}, "server_error", "Hm."),
        ({"error": {"message": "Hm.", "code": True}}, "server_error", "Hm."),
        ({"error": {"message": "?", "type": "model_not_found"}}, "unknown_model", "?"),
        ({"error": "out of memory"}, "server_error", "out of memory"),
        (
            {"choices": [{"error": {"message": "Upstream.", "code": 502}}]},
            "server_error",
            "Upstream.",
        ),
    ],
)
def test_error_in_a_successful_reply(changes, kind, message):
    """An error object under status 200 is the fault that it names, also inside the choice."""
    fault = read_fault(build_reply(**changes))
    assert (fault.kind, fault.message) == (kind, message)


def test_error_in_a_list():
    """Gemini wraps its errors in a list, under any status."""
    body = json.dumps([{"error": {"code": 429, "message": "Slow.", "status": "X"}}]).encode()
    assert read_fault(body).kind == "rate_limited"
    assert (refuse(429, body).kind, refuse(429, body).message) == ("rate_limited", "Slow.")


@pytest.mark.parametrize("nothing", [None, "", {}, [], False])
def test_empty_error_is_no_error(nothing):
    """Some servers send an empty error beside each answer."""
    assert read(error=nothing).text == "Hi."


@pytest.mark.parametrize(
    ("said", "finish_reason"),
    [
        ("stop", "stop"),
        ("STOP", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("eos_token", "eos_token"),
        ("", "unknown"),
        (None, "unknown"),
        (5, "unknown"),
        (["stop"], "unknown"),
    ],
)
def test_finish_reason(said, finish_reason):
    """A cut-off answer is known under every name that servers have for it."""
    assert read(choices=build_choice(content="Hi.", finish_reason=said)).finish_reason == (
        finish_reason
    )


@pytest.mark.parametrize("finish_reason", ["length", "content_filter", "SAFETY"])
def test_ended_early_without_text(finish_reason):
    """An answer that was stopped before its first word was paid for, so it is no fault."""
    assert read(choices=build_choice(content=None, finish_reason=finish_reason)).text is None


def test_refusal():
    """A refusal is an answer, with or without text."""
    refused = read(choices=build_choice(content=None, refusal="I can't."))
    assert (refused.text, refused.refusal) == (None, "I can't.")
    assert read(choices=build_choice(content="Hi.", refusal=None)).refusal is None
    assert read(choices=build_choice(content=None, refusal={"why": 1})).refusal


def test_empty_text_is_an_answer():
    """No words are an answer that was paid for; whether it is a good one is for the schema to say."""
    assert read(choices=build_choice(content="")).text == ""


def test_text_in_parts():
    """A text that comes in parts is put together, without the thinking beside it."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Hi"},
        {"type": "text", "text": " there."},
    ]
    assert read(choices=build_choice(content=parts)).text == "Hi there."


def test_texts_can_be_kept():
    """Half characters and NUL, which no ledger can hold, are replaced wherever the server sends them."""
    broken = "a\ud800b\x00"
    completion = read(
        model=broken, choices=build_choice(content=broken, refusal=broken, finish_reason=broken)
    )
    kept = "a\ufffdb\ufffd"
    assert (completion.text, completion.refusal) == (kept, kept)
    assert (completion.model, completion.finish_reason) == (kept, kept)
    assert read_fault(build_reply(error={"message": broken})).message == kept


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (USAGE, (12, 3, 0, 0)),
        ({"prompt_tokens": "12", "completion_tokens": "3"}, (12, 3, 0, 0)),
        ({"prompt_tokens": 12.0, "completion_tokens": 0}, (12, 0, 0, 0)),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 8}}, (12, 3, 8, 0)),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 99}}, (12, 3, 12, 0)),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": -1}}, (12, 3, 0, 0)),
        ({**USAGE, "prompt_tokens_details": None}, (12, 3, 0, 0)),
        ({**USAGE, "prompt_tokens_details": [1]}, (12, 3, 0, 0)),
        ({**USAGE, "completion_tokens_details": {"reasoning_tokens": 2}}, (12, 3, 0, 2)),
        ({**USAGE, "completion_tokens_details": {"reasoning_tokens": None}}, (12, 3, 0, 0)),
    ],
)
def test_token_counts(usage, counted):
    """Counts are read as numbers or texts; details that make no sense are passed over."""
    found = read(usage=usage).usage
    assert found
    assert counted == (
        found.prompt_tokens,
        found.completion_tokens,
        found.cached_tokens,
        found.reasoning_tokens,
    )
    assert not found.is_approximate


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        "12",
        {"prompt_tokens": 12},
        {"completion_tokens": 3},
        {**USAGE, "prompt_tokens": -1},
        {**USAGE, "prompt_tokens": None},
        {**USAGE, "prompt_tokens": True},
        {**USAGE, "prompt_tokens": 1.5},
        {**USAGE, "prompt_tokens": "many"},
        {**USAGE, "prompt_tokens": "9" * 5000},
        {**USAGE, "prompt_tokens": MAX_COUNT + 1},
        {**USAGE, "prompt_tokens": 10**400},
        {**USAGE, "prompt_tokens": float("nan")},
        {**USAGE, "prompt_tokens": float("inf")},
        {**USAGE, "prompt_tokens": {"n": 1}},
    ],
)
def test_counts_that_are_none(usage):
    """A reply without sensible counts has none, so that ours stand in their place, marked as such."""
    assert read(usage=usage).usage is None


def test_missing_fields():
    """What a small server leaves out does not spoil its answer."""
    body = json.dumps({"choices": [{"message": {"content": "Hi."}}]}).encode()
    assert read_completion(body) == Completion(
        text="Hi.",
        refusal=None,
        finish_reason="unknown",
        model="",
        usage=None,
        created_seconds=None,
    )


@pytest.mark.parametrize(
    ("created", "seconds"),
    [
        (1_770_000_000, 1_770_000_000),
        (1_770_000_000.7, 1_770_000_000),
        (1_770_000_000_000, None),
        (10**400, None),
        (float("inf"), None),
        (0, None),
        (-1, None),
        (True, None),
        ("1770000000", None),
        (None, None),
    ],
)
def test_clock_of_the_server(created, seconds):
    """Only a time that a calendar can show is taken for one."""
    assert read(created=created).created_seconds == seconds


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, {"error": {"message": "Wrong key."}}, "bad_key", "Wrong key."),
        (
            429,
            {"error": {"message": "Quota.", "type": "insufficient_quota", "code": None}},
            "quota_exhausted",
            "Quota.",
        ),
        (
            404,
            {"error": {"message": "No model x.", "code": "model_not_found"}},
            "unknown_model",
            "No model x.",
        ),
        (
            400,
            {"error": {"message": "Bad schema.", "param": "response_format"}},
            "rejected_settings",
            "Bad schema.",
        ),
        (400, {"object": "error", "message": "Bad.", "code": 400}, "rejected_request", "Bad."),
        (404, {"error": "model 'x' not found"}, "unknown_model", "model 'x' not found"),
        (
            422,
            {"detail": [{"loc": ["body"]}]},
            "rejected_request",
            '{"detail": [{"loc": ["body"]}]}',
        ),
        (400, {"error": {"message": {"nested": 1}}}, "rejected_request", None),
        (400, {"error": None}, "rejected_request", '{"error": null}'),
        (502, b"<html><h1>Bad Gateway</h1>", "server_error", "<html><h1>Bad Gateway</h1>"),
        (503, b"", "server_error", "(empty)"),
        (500, [], "server_error", "[]"),
        (500, [[]], "server_error", "[[]]"),
        (500, "text", "server_error", '"text"'),
        (404, b"404 page not found", "unknown_model", "404 page not found"),
    ],
)
def test_refused_reply(status, body, kind, message):
    """An error reply of any shape says what it is about, and otherwise quotes itself."""
    fault = refuse(status, body)
    assert (fault.kind, fault.http_status) == (kind, status)
    assert message is None or fault.message == message


def test_words_of_a_quoted_body_decide_nothing():
    """A reply without a sentence may hold the item's own text, which says nothing about the settings."""
    assert refuse(400, {"input": "The temperature is high."}).kind == "rejected_request"


def test_refused_reply_keeps_what_the_headers_say():
    """The wait that the provider asks for and its name for the request are part of the fault."""
    fault = refuse(429, {"error": {"message": "x"}}, retry_after_seconds=7.5, request_id="req-1")
    assert (fault.retry_after_seconds, fault.request_id) == (7.5, "req-1")


def test_message_of_any_length_is_cut():
    """A fault's message has an end."""
    assert len(refuse(500, {"error": {"message": "x" * 10_000}}).message) == MAX_QUOTED_CHARS


NAMES = [
    "error",
    "choices",
    "message",
    "content",
    "code",
    "type",
    "usage",
    "text",
    "refusal",
    "prompt_tokens",
    "completion_tokens",
    "finish_reason",
    "created",
    "model",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from([*REPLY, "error"]), JUNK, max_size=3)


@hypothesis_settings(max_examples=200)
@given(st.binary() | JUNK.map(json.dumps).map(str.encode), st.integers(100, 599))
def test_no_body_is_a_crash(body, status):
    """Bytes of any kind are an answer or a fault, and every text in it can be kept."""
    for found in (read_completion(body), refuse(status, body)):
        texts = [found.message] if isinstance(found, Fault) else [found.text or "", found.model]
        assert all(text.encode() is not None for text in texts)


@hypothesis_settings(max_examples=200)
@given(FIELDS)
def test_no_field_is_a_crash(changes):
    """A reply that is right but for some fields is an answer or a fault."""
    assert isinstance(read_completion(build_reply(**changes)), Completion | Fault)
