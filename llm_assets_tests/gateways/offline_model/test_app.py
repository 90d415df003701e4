import asyncio
import json

import httpx2
import pytest
from openai import BadRequestError, NotFoundError

from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.gateways.offline_model.app import build_app

TEXT = "body: The hub is broken. It stopped on Monday. Please send a new one. My order is 12."
SCHEMA = {
    "type": "object",
    "properties": {"summary": {"type": "string"}, "urgency": {"enum": ["low", "high"]}},
    "required": ["summary", "urgency"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "LLMOutput", "strict": True, "schema": SCHEMA},
}


def post(app, body: bytes, path: str = "/v1/chat/completions", method: str = "POST"):
    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, path, content=body)

    return asyncio.run(send())


def test_the_openai_client_gets_an_answer_that_follows_the_schema(ask):
    """The reply is a chat completion with JSON in it, named after the request's model."""
    completion = ask(build_app(), TEXT, response_format=RESPONSE_FORMAT)
    answer = json.loads(completion.choices[0].message.content)
    assert answer == {"summary": "The hub is broken. It stopped on Monday.", "urgency": "low"}
    assert (completion.choices[0].finish_reason, completion.model) == ("stop", "extractive")


def test_equal_requests_get_equal_bytes_from_any_application():
    """Neither clock nor chance nor what was served before is in a reply."""
    body = json.dumps({"model": "extractive", "messages": [{"role": "user", "content": TEXT}]})
    app = build_app()
    first, again = post(app, body.encode()), post(app, body.encode())
    other = post(build_app(), body.encode())
    assert first.content == again.content == other.content
    assert first.headers["x-request-id"] == other.headers["x-request-id"]
    assert post(app, body.replace("hub", "valve").encode()).json()["id"] != first.json()["id"]


def test_the_usage_counts_messages_and_answer(ask):
    """Prompt tokens grow with the prompt by what the counter says; completion tokens are the answer's."""
    app = build_app()
    short, long = ask(app, TEXT).usage, ask(app, f"{TEXT} Three more words").usage
    assert long.prompt_tokens - short.prompt_tokens == 3
    completion = ask(app, TEXT)
    text = completion.choices[0].message.content
    assert completion.usage.completion_tokens == count_tokens_approximately(text)
    assert short.total_tokens == short.prompt_tokens + short.completion_tokens


@pytest.mark.parametrize("cap", ["max_tokens", "max_completion_tokens"])
def test_an_answer_is_cut_at_the_cap(ask, cap: str):
    """It has at most that many tokens, begins like the whole one, and says `length`."""
    whole = ask(build_app(), TEXT, response_format=RESPONSE_FORMAT).choices[0].message.content
    cut = ask(build_app(), TEXT, response_format=RESPONSE_FORMAT, **{cap: 5})
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage.completion_tokens == 5
    assert whole.startswith(cut.choices[0].message.content)
    n_tokens = count_tokens_approximately(whole)
    exact = ask(build_app(), TEXT, response_format=RESPONSE_FORMAT, **{cap: n_tokens})
    assert exact.choices[0].finish_reason == "stop"


def test_an_unknown_model_is_told_as_openai_tells_it(ask):
    """Status 404 with the code `model_not_found`, and the models there are."""
    with pytest.raises(NotFoundError, match="extractive, echo, flaky") as caught:
        ask(build_app(), TEXT, model="gpt-9")
    assert caught.value.code == "model_not_found"


def test_models_are_listed_and_described(call):
    """A person can ask which models there are, and about one of them."""
    app = build_app()
    listed = call(app, lambda client: client.models.list())
    assert [model.id for model in listed.data] == ["extractive", "echo", "flaky", "hashed-words"]
    assert call(app, lambda client: client.models.retrieve("echo")).id == "echo"
    with pytest.raises(NotFoundError):
        call(app, lambda client: client.models.retrieve("gpt-9"))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{", "Invalid JSON"),
        ("[]", "object"),
        ('{"messages": [{"role": "user", "content": "x"}]}', "model"),
        ('{"model": "echo", "messages": []}', "messages"),
        ('{"model": "echo", "messages": [{"role": "robot", "content": "x"}]}', "messages.0.role"),
        ('{"model": "echo", "messages": [{"role": "user", "content": 1}]}', "messages.0.content"),
        ('{"model": "echo", "stream": true, "messages": [{"role": "user"}]}', "stream"),
        ('{"model": "echo", "max_tokens": 0, "messages": [{"role": "user"}]}', "max_tokens"),
        (
            '{"model": "echo", "messages": [{"role": "user"}], "response_format": {"type": "json_schema"}}',
            "json_schema",
        ),
    ],
)
def test_a_malformed_request_is_refused_by_name(body: str, named: str):
    """Status 400 in OpenAI's form; the message says which part is wrong."""
    reply = post(build_app(), body.encode())
    assert reply.status_code == 400
    assert named in reply.json()["error"]["message"]


def test_a_refused_schema_of_the_client_is_a_bad_request(ask):
    """The openai client sees its own kind of error."""
    with pytest.raises(BadRequestError):
        ask(build_app(), TEXT, n=2)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/chat/completions", 404),
        ("GET", "/", 404),
        ("POST", "/v1/audio/speech", 404),
        ("GET", "/v1/embeddings", 405),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
    ],
)
def test_a_wrong_address_is_an_error_in_openais_form(method: str, path: str, status: int):
    """A base_url without `/v1`, a wrong method and what is not offered all get an error object."""
    reply = post(build_app(), b"", path=path, method=method)
    assert reply.status_code == status
    assert path in reply.json()["error"]["message"]


def test_parts_of_messages_are_read_as_text(call):
    """Text parts count as the message; parts of other kinds are passed over."""
    content = [
        {"type": "text", "text": "body: The hub is broken."},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    ]
    completion = call(
        build_app(),
        lambda client: client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": content}]
        ),
    )
    assert completion.choices[0].message.content == "The hub is broken."


def test_the_tally_is_exact_over_many_tasks(call):
    """Two hundred requests at once are counted to the token, and the tally can be asked for."""
    app = build_app()

    async def ask_often(client):
        calls = (
            client.chat.completions.create(
                model="extractive", messages=[{"role": "user", "content": f"body: Row {i} is it."}]
            )
            for i in range(200)
        )
        return await asyncio.gather(*calls)

    usages = [completion.usage for completion in call(app, ask_often)]
    record = post(app, b"", path="/v1/_tally", method="GET").json()
    assert (record["n_requests"], record["n_answered"], record["n_in_flight"]) == (200, 200, 0)
    assert record["prompt_tokens"] == sum(usage.prompt_tokens for usage in usages)
    assert record["completion_tokens"] == sum(usage.completion_tokens for usage in usages)
