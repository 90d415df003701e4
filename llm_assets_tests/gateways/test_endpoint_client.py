import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from llm_assets.config.endpoint import OFFLINE_URL, PRESETS, EndpointSettings
from llm_assets.core.calls import CallRequest, Fault, Message
from llm_assets.core.completions import Completion
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.endpoint_client import (
    NO_KEY,
    EndpointClient,
    Reply,
    build_body,
    open_endpoint_client,
)
from llm_assets.gateways.offline_model.app import build_app
from llm_assets.gateways.offline_model.misbehaviour import Misbehaviour, parse_misbehaviour
from llm_assets_tests.fakes import build_request, build_settings

KEY = "sk-very-secret-0123456789"
GOOD_BODY = {
    "model": "m-2026",
    "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class RawServer:
    """A server on the loopback that says what it is told to, byte for byte."""

    base_url: str
    heads: list[str] = field(default_factory=list[str])
    bodies: list[Any] = field(default_factory=list[Any])

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Take one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line for line in head.lower().splitlines() if line.startswith("content-length")]
        body = await reader.readexactly(int(lengths[0].partition(":")[2]))
        self.heads.append(head)
        self.bodies.append(json.loads(body))


@asynccontextmanager
async def serve(say: bytes | Handler) -> AsyncGenerator[RawServer]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await server.read(reader)
            if callable(say):
                await say(reader, writer)
            else:
                writer.write(say)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def answer_in_task(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.ensure_future(answer(reader, writer)))

    answering: list[asyncio.Future[None]] = []
    listening = await asyncio.start_server(answer_in_task, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server = RawServer(f"http://127.0.0.1:{port}/v1")
    async with listening:
        yield server
        await asyncio.gather(*answering)


def build_reply(
    body: object, *, status: str = "200 OK", headers: str = "", length: int | None = None
) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(content) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + content


def build_connection(base_url: str, *, api_key: str | None = KEY) -> Connection:
    return Connection(
        name="office",
        endpoint=EndpointSettings(base_url=base_url),
        base_url=base_url,
        api_key=api_key,
        compute_cost=lambda _: None,
    )


async def send_to(
    base_url: str, *, timeout_seconds: float = 20, api_key: str | None = KEY
) -> Reply:
    connection = build_connection(base_url, api_key=api_key)
    async with open_endpoint_client(connection, timeout_seconds=timeout_seconds) as client:
        return await client.send(build_request("Hello."))


def send_and_get(say: bytes | Handler, *, timeout_seconds: float = 20) -> Reply:
    async def run() -> Reply:
        async with serve(say) as server:
            return await send_to(server.base_url, timeout_seconds=timeout_seconds)

    return asyncio.run(run())


def get_fault(reply: Reply) -> Fault:
    assert isinstance(reply.result, Fault)
    return reply.result


def get_completion(reply: Reply) -> Completion:
    assert isinstance(reply.result, Completion)
    return reply.result


def test_an_answer_is_read_with_its_request_id():
    """A well-formed reply is a completion, with the provider's name for the request."""
    reply = send_and_get(build_reply(GOOD_BODY, headers="x-request-id: r-7\r\n"))
    completion = get_completion(reply)
    assert (completion.text, completion.model, reply.request_id) == ("fine", "m-2026", "r-7")


def test_what_is_sent_is_the_request_and_nothing_more():
    """The body on the wire is what `build_body` says, the key stands in its header alone."""
    settings = build_settings(
        model="m",
        parameters={"temperature": 0.2, "seed": 7},
        response_format={"type": "json_object"},
        token_parameter="max_completion_tokens",
    )
    request = build_request(
        messages=[
            Message(role="system", content="Be brief."),
            Message(role="user", content="ü 🎉"),
        ],
        settings=settings,
        max_output_tokens=50,
    )

    async def run() -> RawServer:
        async with serve(build_reply(GOOD_BODY)) as server:
            connection = build_connection(server.base_url)
            async with open_endpoint_client(connection, timeout_seconds=20) as client:
                await client.send(request)
            return server

    server = asyncio.run(run())
    assert server.bodies == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "ü 🎉"},
            ],
            "temperature": 0.2,
            "seed": 7,
            "response_format": {"type": "json_object"},
            "max_completion_tokens": 50,
        }
    ]
    assert server.bodies == [build_body(request)]
    (head,) = server.heads
    assert head.startswith("POST /v1/chat/completions ")
    assert f"Bearer {KEY}" in head


@pytest.mark.parametrize("token_parameter", ["max_tokens", "max_completion_tokens"])
def test_the_cap_has_the_name_that_the_server_knows(token_parameter):
    """The length cap is sent under the endpoint's own name, and not at all where there is none."""
    settings = build_settings(token_parameter=token_parameter)
    assert build_body(build_request(settings=settings, max_output_tokens=9))[token_parameter] == 9
    assert set(build_body(build_request(settings=settings))) == {"model", "messages"}


def test_a_server_that_asks_for_no_key_gets_a_placeholder():
    """The client insists on some key; a person need not."""

    async def run() -> RawServer:
        async with serve(build_reply(GOOD_BODY)) as server:
            await send_to(server.base_url, api_key=None)
            return server

    assert f"Bearer {NO_KEY}" in asyncio.run(run()).heads[0]


NO_ANSWERS = {
    "html": (build_reply(b"<html>Please log in</html>"), "broken_body", "Please log in"),
    "list": (build_reply([1]), "broken_body", "not an object"),
    "no choices": (build_reply({"choices": []}), "broken_body", "no choices"),
    "nothing": (build_reply(b""), "broken_body", "(empty)"),
    "half a body": (build_reply(b'{"choices": [', length=1000), "unreachable", "not completed"),
    "half an error": (
        build_reply(b'{"error"', status="500 X", length=1000),
        "unreachable",
        "not completed",
    ),
    "closed": (b"", "unreachable", "Server disconnected"),
    "no HTTP": (b"220 mail.example ESMTP\r\n\r\n", "unreachable", "Bad status line"),
    "a broken chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        "unreachable",
        "chunk size",
    ),
    "no gzip": (
        build_reply(b"plain", headers="Content-Encoding: gzip\r\n"),
        "unreachable",
        "decompressing",
    ),
    "an endless header": (
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 20_000 + b"\r\n\r\n",
        "unreachable",
        "8190 bytes",
    ),
}


@pytest.mark.parametrize("case", NO_ANSWERS)
def test_a_reply_that_is_no_answer_is_a_fault(case):
    """Whatever a server says in place of an answer is a fault on one line, that tells what came, and no crash."""
    say, kind, words = NO_ANSWERS[case]
    fault = get_fault(send_and_get(say))
    assert fault.kind == kind
    assert words in fault.message
    assert "\n" not in fault.message


REFUSALS = {
    "key": ("401 Unauthorized", "bad_key"),
    "model": ("404 Not Found", "unknown_model"),
    "rate": ("429 Too Many Requests", "rate_limited"),
    "server": ("503 Service Unavailable", "server_error"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_keeps_its_status_and_its_words(case):
    """An error reply is a fault with its status, the server's sentence and the request's id."""
    status, kind = REFUSALS[case]
    body = {"error": {"message": "Not today."}}
    reply = send_and_get(build_reply(body, status=status, headers="x-request-id: r-9\r\n"))
    fault = get_fault(reply)
    assert (fault.kind, fault.http_status) == (kind, int(status[:3]))
    assert (fault.message, fault.request_id) == ("Not today.", "r-9")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7.0),
        ("0.25", 0.25),
        ("0", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-3", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
    ],
)
def test_the_wait_that_a_server_asks_for_is_read(value, expected):
    """Seconds are taken as they are; every other spelling is left to our own back-off."""
    say = build_reply({}, status="429 X", headers=f"Retry-After: {value}\r\n")
    assert get_fault(send_and_get(say)).retry_after_seconds == expected


def test_each_call_is_sent_once():
    """A refused call is not sent again behind our back: every try must be on record."""

    async def run() -> int:
        async with serve(build_reply({}, status="503 X")) as server:
            await send_to(server.base_url)
            return len(server.heads)

    assert asyncio.run(run()) == 1


def test_the_time_out_is_of_the_whole_call():
    """A server that drips a byte now and then, and so never meets a time-out of reading, is cut off."""
    is_over = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(build_reply(b"", length=10_000))
        while not is_over.is_set():
            writer.write(b" ")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await is_over.wait()

    async def run() -> tuple[Reply, float]:
        async with serve(drip) as server:
            started_seconds = asyncio.get_running_loop().time()
            reply = await send_to(server.base_url, timeout_seconds=0.2)
            took_seconds = asyncio.get_running_loop().time() - started_seconds
            is_over.set()
            return reply, took_seconds

    reply, took_seconds = asyncio.run(run())
    assert get_fault(reply) == Fault(kind="timed_out", message="No answer within 0.2 s.")
    assert took_seconds < 5


def test_a_port_where_nobody_listens_is_told_as_such():
    """A refused connection names the address; it is not taken for a server that answers too late."""

    async def run() -> tuple[str, Reply]:
        async with serve(b"") as server:
            base_url = server.base_url
        return base_url, await send_to(base_url)

    base_url, reply = asyncio.run(run())
    fault = get_fault(reply)
    assert fault.kind == "unreachable"
    assert base_url.removeprefix("http://").removesuffix("/v1") in fault.message


@pytest.mark.parametrize(
    "say",
    [
        build_reply({"error": {"message": f"Incorrect API key: {KEY}."}}, status="401 X"),
        build_reply(f"Bearer {KEY}".encode(), status="500 X"),
        build_reply(f"<p>{KEY}</p>".encode()),
        build_reply({"error": {"message": "x" * 290 + KEY}}),
        b"220 mail.example\r\n\r\n",
        b"",
    ],
)
def test_no_fault_tells_the_key(say):
    """A server that repeats the key, whole or cut by the length of a message, does not get it into ours."""
    fault = get_fault(send_and_get(say))
    assert KEY[:8] not in repr(fault)


def test_an_answer_may_hold_what_looks_like_a_short_key():
    """Placeholders that people set as keys are words; answers and refusals keep theirs."""

    async def run(say: bytes) -> Reply:
        async with serve(say) as server:
            return await send_to(server.base_url, api_key="EMPTY")

    body = {"choices": [{"message": {"content": f"EMPTY {KEY}"}, "finish_reason": "stop"}]}
    assert get_completion(asyncio.run(run(build_reply(body)))).text == f"EMPTY {KEY}"
    refusal = build_reply({"error": {"message": "EMPTY is no key."}}, status="401 X")
    assert get_fault(asyncio.run(run(refusal))).message == "EMPTY is no key."


async def send_offline(request: CallRequest, behaviour: Misbehaviour | None = None) -> Reply:
    """Send to the built-in model in this process, by way of the same client."""
    app = build_app(behaviour) if behaviour else build_app()
    transport = httpx2.ASGITransport(app)
    async with AsyncOpenAI(
        api_key=KEY,
        base_url=OFFLINE_URL,
        http_client=httpx2.AsyncClient(transport=transport),
        max_retries=0,
    ) as client:
        return await EndpointClient(client, timeout_seconds=0.2).send(request)


def test_the_offline_model_is_reached_without_a_network():
    """The built-in endpoint answers in this process, with true token counts."""
    connection = Connection(
        name="offline",
        endpoint=PRESETS["offline"],
        base_url=OFFLINE_URL,
        api_key=None,
        compute_cost=lambda _: None,
    )

    async def run() -> Reply:
        async with open_endpoint_client(connection, timeout_seconds=20) as client:
            return await client.send(build_request("The lathe hums."))

    completion = get_completion(asyncio.run(run()))
    assert completion.text
    assert completion.usage is not None
    assert completion.usage.prompt_tokens > 0
    assert not completion.usage.is_approximate


TROUBLES = {
    "rate_limited": ("rate_limited", 429),
    "server_errors": ("server_error", None),
    "hanging": ("timed_out", None),
    "wrong_content_type": ("broken_body", None),
    "cut_bodies": ("broken_body", None),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_trouble_of_the_offline_model_is_a_fault(trouble):
    """Each way in which the rehearsal misbehaves is met as the fault that a real server would make."""
    behaviour = parse_misbehaviour(f"{trouble}=1,retry_after_seconds=3")
    fault = get_fault(asyncio.run(send_offline(build_request(), behaviour)))
    kind, status = TROUBLES[trouble]
    assert fault.kind == kind
    assert status in (None, fault.http_status)
    assert fault.retry_after_seconds == (3 if trouble == "rate_limited" else None)


def test_an_unknown_offline_model_is_told():
    """A model that the server does not have is a fault that names those there are."""
    request = build_request(settings=build_settings(model="extractiv"))
    fault = get_fault(asyncio.run(send_offline(request)))
    assert (fault.kind, fault.http_status) == ("unknown_model", 404)
    assert "extractive" in fault.message
