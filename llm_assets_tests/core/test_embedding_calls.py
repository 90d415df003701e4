import json
from decimal import Decimal

import pytest

from llm_assets.config.embed import EmbedSettings
from llm_assets.core.calls import Fault, Usage
from llm_assets.core.completions import Completion
from llm_assets.core.embedding_calls import (
    build_embedding_body,
    build_embedding_request,
    build_embedding_settings,
    count_missing_usage,
    read_embedding,
)
from llm_assets.core.vectors import render_vector
from llm_assets_tests.fakes import build_request, build_settings

VECTOR = render_vector([0.5, -0.25])
URL = "http://127.0.0.1/v1"


def build_key(text="hello", base_url=URL, **embed: object):
    settings = build_embedding_settings(
        EmbedSettings.model_validate({"endpoint": "office", "model": "m", **embed}),
        base_url=base_url,
    )
    return build_embedding_request(settings, text).build_key()


def read(**changes: object) -> Completion | Fault:
    reply = {
        "object": "list",
        "model": "m-1",
        "data": [{"index": 0, "embedding": VECTOR}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
        **changes,
    }
    return read_embedding(json.dumps(reply).encode())


def test_the_key_hangs_on_what_shapes_the_vector():
    """Another text, model, address or number of dimensions is another call."""
    keys = [
        build_key(),
        build_key("hello!"),
        build_key(model="n"),
        build_key(base_url="http://127.0.0.2/v1"),
        build_key(dimensions=8),
    ]
    assert len(set(keys)) == len(keys)


def test_the_key_hangs_on_nothing_else():
    """A price, limits, and how the text is put together change no call, nor does a slash behind the address."""
    other = build_key(
        base_url=f"{URL}/",
        price={"input_usd": Decimal(1), "output_usd": Decimal(1)},
        limits={"max_in_flight": 1},
        fields=["output.summary"],
    )
    assert other == build_key()


def test_no_chat_call_has_the_key_of_a_vector():
    """The same words at the same endpoint and model are an answer's call or a vector's, never both."""
    asked = build_request("hello", settings=build_settings(endpoint=URL, model="m"))
    assert asked.build_key() != build_key()


def test_the_body_asks_for_base64():
    """The text, the model and the dimensions are sent as OpenAI's endpoint wants them."""
    embed = EmbedSettings(endpoint="office", model="m", dimensions=8)
    request = build_embedding_request(build_embedding_settings(embed, base_url=URL), "hello")
    assert build_embedding_body(request) == {
        "model": "m",
        "input": "hello",
        "encoding_format": "base64",
        "dimensions": 8,
    }


@pytest.mark.parametrize("said", [VECTOR, [0.5, -0.25]])
def test_a_vector_is_read_in_either_spelling(said):
    """A server that knows no base64 sends decimal numbers; what is kept is the same."""
    found = read(data=[{"index": 0, "embedding": said}])
    assert isinstance(found, Completion)
    assert (found.text, found.model) == (VECTOR, "m-1")
    assert found.usage == Usage(prompt_tokens=3, completion_tokens=0)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [{}],
        [{"embedding": None}],
        [{"embedding": []}],
        [{"embedding": [1, "x"]}],
        [{"embedding": [0, 0]}],
        [{"embedding": [1e300]}],
        [{"embedding": [1, 10**400]}],
        [{"embedding": [float("nan"), -(10**400)]}],
        [{"embedding": "x"}],
        [{"embedding": VECTOR}, {"embedding": VECTOR}],
    ],
)
def test_a_reply_without_one_vector_is_a_fault_that_passes(data):
    """No vector, half a vector and several vectors for one text are the server's trouble."""
    found = read(data=data)
    assert isinstance(found, Fault)
    assert found.kind == "broken_body"


def test_an_error_in_a_good_reply_is_a_fault():
    """Servers say 200 and mean an error here, too."""
    found = read(error={"message": "Slow down.", "code": 429})
    assert isinstance(found, Fault)
    assert (found.kind, found.message) == ("rate_limited", "Slow down.")


def test_tokens_that_the_server_does_not_count_are_counted_here():
    """The count is of the text alone and marked as ours: a vector has no tokens."""
    request = build_embedding_request(build_settings(), "three short words")
    found = read(usage=None)
    assert isinstance(found, Completion)
    usage = count_missing_usage(found, request).usage
    assert usage == Usage(prompt_tokens=3, completion_tokens=0, is_approximate=True)
    counted = read(usage={"total_tokens": 7})
    assert isinstance(counted, Completion)
    assert count_missing_usage(counted, request).usage == Usage(
        prompt_tokens=7, completion_tokens=0
    )
