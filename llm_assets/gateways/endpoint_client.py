"""How a call reaches an OpenAI-compatible server and what of its reply counts."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import JsonValue

from llm_assets.core.calls import CallRequest, Fault, Unsendable
from llm_assets.core.completions import Completion, read_completion
from llm_assets.core.embedding_calls import (
    build_embedding_body,
    count_missing_usage,
    read_embedding,
)
from llm_assets.core.ids import Sha256
from llm_assets.core.model_list import parse_model_list
from llm_assets.core.rate_limit import AnnouncedLimits
from llm_assets.core.server_replies import read_refused_reply
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.image_content import (
    NO_URLS,
    LoadImage,
    build_content,
    load_data_urls,
    load_no_image,
)

if TYPE_CHECKING:
    from httpx2 import Response
    from openai import AsyncOpenAI

NO_KEY = "no-key"
"""Sent to servers that ask for no key, because the client insists on one."""
CONNECT_SECONDS = 10.0
MIN_KEY_BYTES = 8
"""Shorter ones, such as `EMPTY`, are no secrets, and may be words of a message."""
WHOLE_BYTES = 1 << 18
"""A longer body is handed over in pieces of this length, so that other calls get their turn in between."""
_JSON_HEADERS = {"Content-Type": "application/json"}
UNUSED_KEY = "unused"
"""The client draws a random idempotency key for each call where none is given, and then does not send it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of sending a call once."""

    result: Completion | Fault | Unsendable
    request_id: str | None
    announced: AnnouncedLimits | None
    """What the reply's headers say of the endpoint's limits, where they do."""


class EndpointClient:
    """Sends one call once. Whether to send it again is for others to decide."""

    def __init__(
        self,
        client: "AsyncOpenAI",
        *,
        timeout_seconds: float,
        load_image: LoadImage = load_no_image,
    ) -> None:
        self._client = client
        self._load_image = load_image
        self._timeout_seconds = timeout_seconds
        # Whole, so that the client does not join it anew with its base for every call (0.1 ms of CPU).
        base_url = str(client.base_url).rstrip("/")
        self._url = f"{base_url}/chat/completions"
        self._embeddings_url = f"{base_url}/embeddings"

    async def send(self, request: CallRequest) -> Reply:
        """Send a call and read its reply; every trouble of the network or the server is a `Fault`.

        Pictures are read only now; where one is not there any more as it was, the call is `Unsendable`.
        """
        body = await self._encode(request)
        if isinstance(body, Unsendable):
            return Reply(result=body, request_id=None, announced=None)
        return await self._ask(self._url, body, read_completion)

    async def embed(self, request: CallRequest) -> Reply:
        """Ask for the vector of a text and read its reply, as `send` does for an answer."""
        body = _encode_body(build_embedding_body(request))
        reply = await self._ask(self._embeddings_url, body, read_embedding)
        if not isinstance(reply.result, Completion):
            return reply
        return replace(reply, result=count_missing_usage(reply.result, request))

    async def _ask(
        self, url: str, body: bytes, read: Callable[[bytes], Completion | Fault]
    ) -> Reply:
        import httpx2

        # The response model is left out: building it costs as much CPU as all the rest of a call.
        sending = self._client.post(
            url,
            cast_to=httpx2.Response,
            content=body if len(body) <= WHOLE_BYTES else _cut(body),
            options={
                "headers": {**_JSON_HEADERS, "Content-Length": str(len(body))},
                "idempotency_key": UNUSED_KEY,
            },
        )
        response = await self._exchange(sending)
        if isinstance(response, Reply):
            return response
        result = read(response.content)
        if isinstance(result, Fault):
            result = read(self._hide_key(response.content))
        headers = response.headers
        return Reply(
            result=result,
            request_id=headers.get("x-request-id"),
            announced=_read_announced(headers),
        )

    async def fetch_models(self) -> frozenset[str] | Fault:
        """The names of the models that the endpoint lists, which costs nothing to ask."""
        import httpx2

        response = await self._exchange(self._client.get("/models", cast_to=httpx2.Response))
        if isinstance(response, Reply):
            return response.result if isinstance(response.result, Fault) else frozenset()
        names = parse_model_list(response.content)
        if names is None:
            return Fault(kind="broken_body", message="The reply is no list of models.")
        return names

    async def _exchange(self, sending: "Awaitable[Response]") -> "Response | Reply":
        """The response, or a reply with the fault that came in its place.

        The time-out is total: the client's own is per read, and a server that drips bytes never meets it.
        """
        from aiohttp import ClientError
        from openai import APIConnectionError, APIStatusError

        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await sending
        except APIStatusError as exc:
            body = self._hide_key(exc.response.content)
            return _read_refusal(exc.status_code, body, exc.response.headers)
        except TimeoutError:
            message = f"No answer within {self._timeout_seconds:g} s."
            return _build_fault_reply(Fault(kind="timed_out", message=message))
        # The transport calls a refused connection a time-out, and passes a reply that is no HTTP on as an error
        # of aiohttp, whose repr shows the key.
        except (APIConnectionError, ClientError) as exc:
            cause = exc.__cause__ or exc
            reason = " ".join(str(cause).split()) or type(cause).__name__
            message = f"The connection failed: {reason}"
            return _build_fault_reply(Fault(kind="unreachable", message=message))

    async def _encode(self, request: CallRequest) -> bytes | Unsendable:
        """The bytes to send; those of pictures take long enough to keep others waiting, so a thread makes them."""
        if request.has_images:
            return await asyncio.to_thread(_encode_with_images, request, self._load_image)
        return _encode_body(build_body(request))

    def _hide_key(self, body: bytes) -> bytes:
        """A body that may be quoted in a message: some servers say which key they refuse."""
        key = self._client.api_key.encode()
        return body.replace(key, b"[key]") if len(key) >= MIN_KEY_BYTES else body


def build_body(
    request: CallRequest, data_urls: Mapping[Sha256, str] = NO_URLS
) -> dict[str, JsonValue]:
    """The JSON object that is sent; `data_urls` are the bytes of its pictures by their hashes."""
    settings = request.settings
    body: dict[str, JsonValue] = {
        "model": settings.model,
        "messages": [
            {"role": message.role, "content": build_content(message, data_urls)}
            for message in request.messages
        ],
        **settings.parameters,
    }
    if settings.response_format is not None:
        body["response_format"] = dict(settings.response_format)
    if request.max_output_tokens is not None:
        body[settings.token_parameter] = request.max_output_tokens
    return body


def _encode_with_images(request: CallRequest, load_image: LoadImage) -> bytes | Unsendable:
    data_urls = load_data_urls(request, load_image)
    if isinstance(data_urls, Unsendable):
        return data_urls
    return _encode_body(build_body(request, data_urls))


async def _cut(body: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(body), WHOLE_BYTES):
        yield body[start : start + WHOLE_BYTES]


def _encode_body(body: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


@asynccontextmanager
async def open_endpoint_client(
    connection: Connection, *, timeout_seconds: float, load_image: LoadImage = load_no_image
) -> AsyncGenerator[EndpointClient]:
    """A client for one endpoint; the offline model is called in-process through the same code."""
    import httpx2
    from openai import AsyncOpenAI, DefaultAioHttpClient

    if connection.endpoint.is_offline:
        from llm_assets.gateways.offline_model.app import build_app
        from llm_assets.gateways.offline_model.misbehaviour import parse_misbehaviour

        app = build_app(parse_misbehaviour(connection.offline_troubles))
        http_client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app))
    else:
        # Less than half the CPU of the default transport at 200 requests in flight.
        http_client = DefaultAioHttpClient()
    async with AsyncOpenAI(
        api_key=connection.api_key or NO_KEY,
        base_url=connection.base_url,
        http_client=http_client,
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        max_retries=0,
    ) as client:
        yield EndpointClient(client, timeout_seconds=timeout_seconds, load_image=load_image)


def _read_refusal(status: int, body: bytes, headers: Mapping[str, str]) -> Reply:
    request_id = headers.get("x-request-id")
    fault = read_refused_reply(
        status,
        body,
        retry_after_seconds=_read_retry_after(headers.get("retry-after")),
        request_id=request_id,
    )
    return Reply(result=fault, request_id=request_id, announced=_read_announced(headers))


def _read_announced(headers: Mapping[str, str]) -> AnnouncedLimits | None:
    requests = headers.get("x-ratelimit-limit-requests")
    tokens = headers.get("x-ratelimit-limit-tokens")
    if requests is None and tokens is None:
        return None
    return AnnouncedLimits(
        requests_per_minute=_read_limit(requests), tokens_per_minute=_read_limit(tokens)
    )


def _read_limit(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() and int(value) > 0 else None


def _read_retry_after(value: str | None) -> float | None:
    """Seconds to wait; the other spelling, a date, is left to the ordinary back-off."""
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < float("inf") else None


def _build_fault_reply(fault: Fault) -> Reply:
    return Reply(result=fault, request_id=None, announced=None)
