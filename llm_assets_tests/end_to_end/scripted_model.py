"""A chat server on the loopback that answers as a test scripts it, and keeps what it was asked."""

import json
from base64 import b64decode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, cast

PROMPT_TOKENS = 100
COMPLETION_TOKENS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in."""

    model: str
    texts: tuple[str, ...]
    """What each message says."""
    key: str
    """The Authorization header."""
    parts: tuple[dict[str, Any], ...] = ()
    """Those of all messages that are lists of parts."""

    @property
    def urls(self) -> list[str]:
        """The addresses of the pictures."""
        return [part["image_url"]["url"] for part in self.parts if part["type"] == "image_url"]

    @property
    def pictures(self) -> list[tuple[str, bytes]]:
        """The kind and the bytes of each picture that came as a `data:` address."""
        cut = [url.removeprefix("data:").split(";base64,") for url in self.urls]
        return [(kind, b64decode(text, validate=True)) for kind, text in cut]

    @property
    def question(self) -> str:
        """The prompt, without what was added for another attempt."""
        return next(text for text in self.texts if "<note>" in text)


Script = Callable[[Asked], "dict[str, Any] | str | int"]
"""What is said to a request: an object or a text as the answer, or a status of refusal."""


@dataclass(slots=True, kw_only=True)
class ScriptedModel:
    """A running server; its script may be changed between runs."""

    base_url: str
    script: Script
    asked: list[Asked] = field(default_factory=list[Asked])
    lock: Lock = field(default_factory=Lock)

    def count(self, model: str) -> int:
        """How many requests a model has got."""
        return sum(asked.model == model for asked in self.asked)

    def answer(self, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """The status and the body of the reply."""
        contents = [message["content"] for message in body["messages"]]
        asked = Asked(
            model=body["model"],
            texts=tuple(map(_read_text, contents)),
            key=key,
            parts=tuple(part for each in contents if isinstance(each, list) for part in each),
        )
        with self.lock:
            self.asked.append(asked)
        said = self.script(asked)
        if isinstance(said, int):
            return said, {"error": {"message": "Go away."}}
        text = said if isinstance(said, str) else json.dumps(said)
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, {"model": asked.model, "choices": [choice], "usage": usage}


def _read_text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


@contextmanager
def open_scripted_model(script: Script) -> Generator[ScriptedModel]:
    """Serve at a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = cast("dict[str, Any]", json.loads(self.rfile.read(length)))
            status, reply = model.answer(body, self.headers.get("Authorization", ""))
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    model = ScriptedModel(base_url=f"http://127.0.0.1:{server.server_port}/v1", script=script)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
