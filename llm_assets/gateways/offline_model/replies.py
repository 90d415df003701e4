"""How replies are spelled and sent, the broken ones too."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from llm_assets.gateways.offline_model.chat import CREATED_SECONDS

if TYPE_CHECKING:
    from starlette.types import Receive, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP reply."""

    body: bytes
    status: int = HTTPStatus.OK
    content_type: str = "application/json"
    digest: str = ""
    """Of the request; what the reply's id is made from."""
    retry_after_seconds: float | None = None

    def build_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI wants them."""
        headers = [
            (b"content-type", self.content_type.encode()),
            (b"content-length", str(len(self.body)).encode()),
        ]
        if self.digest:
            headers.append((b"x-request-id", f"req_{self.digest}".encode()))
        if self.retry_after_seconds is not None:
            headers.append((b"retry-after", f"{self.retry_after_seconds:g}".encode()))
        return headers


def build_error(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    retry_after_seconds: float | None = None,
) -> Reply:
    """An error in OpenAI's form."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Reply(
        body=json.dumps({"error": error}, ensure_ascii=False).encode(),
        status=status,
        retry_after_seconds=retry_after_seconds,
    )


def build_rate_limit_error(retry_after_seconds: float) -> Reply:
    """Too many requests; it says when to come back."""
    return build_error(
        429,
        f"Rate limit reached. Please try again in {retry_after_seconds:g}s.",
        kind="requests",
        code="rate_limit_exceeded",
        retry_after_seconds=retry_after_seconds,
    )


def build_server_error(digest: str) -> Reply:
    """A fault of the server; which of the two kinds depends on the request."""
    if int(digest[-1], 16) % 2:
        return build_error(503, "The server is overloaded.", kind="server_error")
    return build_error(500, "The server had an error.", kind="server_error")


def build_html_page() -> Reply:
    """What a proxy in front of a server answers when it means well."""
    page = b"<!doctype html><title>Please wait</title><p>We will be back soon.</p>"
    return Reply(body=page, content_type="text/html; charset=utf-8")


def build_model(name: str) -> Reply:
    """The description of one model."""
    return Reply(body=json.dumps(_describe_model(name)).encode())


def build_model_list(names: tuple[str, ...]) -> Reply:
    """The descriptions of all models."""
    models = {"object": "list", "data": [_describe_model(name) for name in names]}
    return Reply(body=json.dumps(models).encode())


def _describe_model(name: str) -> dict[str, str | int]:
    return {"id": name, "object": "model", "created": CREATED_SECONDS, "owned_by": "llm-assets"}


async def read_body(receive: "Receive") -> bytes:
    """The whole body of a request."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def wait_for_disconnect(receive: "Receive") -> None:
    """Wait until the client has gone, or the task is cancelled."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_reply(send: "Send", reply: Reply) -> None:
    """Send a reply as a whole."""
    headers = reply.build_headers()
    await send({"type": "http.response.start", "status": int(reply.status), "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def send_broken(send: "Send", reply: Reply) -> None:
    """Send half of a reply and break the connection: raises what the client's own transport would raise."""
    import httpx2

    headers = reply.build_headers()
    half = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.start", "status": int(reply.status), "headers": headers})
    await send({"type": "http.response.body", "body": half, "more_body": True})
    raise httpx2.ReadError("the offline model broke the connection on purpose")
