"""How the offline model is reached: an OpenAI-compatible ASGI application.

It is a bare callable, because a rehearsal sends every item of a large table through it: routing by a framework
would cost as much as the answer.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import ValidationError

from llm_assets.core.images import ImageProblem
from llm_assets.gateways.clock import Clock, SystemClock
from llm_assets.gateways.offline_model.chat import (
    ChatRequest,
    TokenUsage,
    count_usage,
    render_completion,
)
from llm_assets.gateways.offline_model.embeddings import (
    EMBEDDING_MODEL_NAMES,
    EmbeddingRequest,
    count_embedding_usage,
    render_embeddings,
)
from llm_assets.gateways.offline_model.misbehaviour import (
    GOOD_BEHAVIOUR,
    Misbehaviour,
    Trouble,
    decide_trouble,
)
from llm_assets.gateways.offline_model.models import MODEL_NAMES, ModelName, build_completion
from llm_assets.gateways.offline_model.replies import (
    Reply,
    build_error,
    build_html_page,
    build_model,
    build_model_list,
    build_rate_limit_error,
    build_server_error,
    read_body,
    send_broken,
    send_reply,
    wait_for_disconnect,
)
from llm_assets.gateways.offline_model.tally import Tally
from llm_assets.gateways.offline_model.troubled_answers import spoil_completion

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

CHAT_PATH = "/v1/chat/completions"
EMBEDDINGS_PATH = "/v1/embeddings"
MODELS_PATH = "/v1/models"
TALLY_PATH = "/v1/_tally"
DIGEST_DIGITS = 32
"""Of the hash by which requests are told apart and named."""
_ALL_MODEL_NAMES = (*MODEL_NAMES, *EMBEDDING_MODEL_NAMES)
_ASKED_PATHS = (CHAT_PATH, EMBEDDINGS_PATH)

BuildReply = Callable[[bytes, str, Trouble | None], Reply]
"""From the body of a request, its digest and the trouble that it meets."""


def build_app(
    behaviour: Misbehaviour = GOOD_BEHAVIOUR, *, clock: Clock | None = None
) -> "OfflineApp":
    """The application; every one has a tally of its own and starts with nothing served."""
    return OfflineApp(behaviour, clock or SystemClock())


class OfflineApp:
    """Serves chat completions, embeddings and the list of models."""

    def __init__(self, behaviour: Misbehaviour, clock: Clock) -> None:
        self.tally = Tally()
        self._behaviour = behaviour
        self._clock = clock
        self._times_asked: Counter[str] = Counter()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        method, path = scope["method"], scope["path"]
        if path in _ASKED_PATHS and method == "POST":
            await self._serve_model(path, receive, send)
        else:
            await send_reply(send, self._build_page(method, path))

    def _build_page(self, method: str, path: str) -> Reply:
        page = self._find_page(path)
        if path in _ASKED_PATHS or (method != "GET" and page.status == HTTPStatus.OK):
            return build_error(405, f"{path} does not take {method}.")
        return page

    def _find_page(self, path: str) -> Reply:
        if path == MODELS_PATH:
            return build_model_list(_ALL_MODEL_NAMES)
        if path == TALLY_PATH:
            return Reply(body=json.dumps(self.tally.build_record()).encode())
        name = path.removeprefix(f"{MODELS_PATH}/")
        if name == path:
            return build_error(404, f"There is nothing at {path}; the API begins at /v1.")
        return build_model(name) if name in _ALL_MODEL_NAMES else _build_unknown_model(name)

    async def _serve_model(self, path: str, receive: "Receive", send: "Send") -> None:
        body = await read_body(receive)
        digest = hashlib.sha256(body).hexdigest()[:DIGEST_DIGITS]
        with self.tally.open_request() as n_in_flight:
            if 0 < self._behaviour.max_in_flight < n_in_flight:
                await send_reply(send, build_rate_limit_error(self._behaviour.retry_after_seconds))
                return
            trouble = self._meet_trouble(digest)
            if trouble == "hanging":
                await wait_for_disconnect(receive)
                return
            await self._wait(trouble)
            answer = self._complete if path == CHAT_PATH else self._embed
            reply = self._build_reply(body, digest, trouble, answer)
            if trouble == "resets":
                await send_broken(send, reply)
            await send_reply(send, reply)

    def _meet_trouble(self, digest: str) -> Trouble | None:
        if not self._behaviour.has_troubles:
            return None
        self._times_asked[digest] += 1
        times_asked = self._times_asked[digest]
        trouble = decide_trouble(self._behaviour, digest, times_asked=times_asked)
        if trouble is not None:
            self.tally.add_trouble(trouble)
        return trouble

    async def _wait(self, trouble: Trouble | None) -> None:
        slow_seconds = self._behaviour.slow_seconds if trouble == "slow" else 0
        wait_seconds = self._behaviour.latency_seconds + slow_seconds
        if wait_seconds > 0:
            await self._clock.wait(wait_seconds)

    def _build_reply(
        self, body: bytes, digest: str, trouble: Trouble | None, answer: BuildReply
    ) -> Reply:
        match trouble:
            case "rate_limited":
                return build_rate_limit_error(self._behaviour.retry_after_seconds)
            case "server_errors":
                return build_server_error(digest)
            case "wrong_content_type":
                return build_html_page()
            case _:
                return answer(body, digest, trouble)

    def _complete(self, body: bytes, digest: str, trouble: Trouble | None) -> Reply:
        try:
            request = ChatRequest.model_validate_json(body)
        except ValidationError as exc:
            return build_error(400, _describe(exc))
        model = _find_model(request.model)
        if model is None:
            return _build_unknown_model(request.model, MODEL_NAMES)
        problem = _find_broken_picture(request)
        if problem is not None:
            return build_error(400, f"Invalid image: it {problem.text}.", code="invalid_image")
        completion = spoil_completion(build_completion(request, model), trouble, digest)
        usage = count_usage(request, completion)
        reply = render_completion(request, completion, usage, digest=digest)
        return self._send_off(reply, usage, digest, trouble)

    def _embed(self, body: bytes, digest: str, trouble: Trouble | None) -> Reply:
        """Troubles that are about a completion's words have no part of a vector to spoil."""
        try:
            request = EmbeddingRequest.model_validate_json(body)
        except ValidationError as exc:
            return build_error(400, _describe(exc))
        if request.model not in EMBEDDING_MODEL_NAMES:
            return _build_unknown_model(request.model, EMBEDDING_MODEL_NAMES)
        usage = count_embedding_usage(request)
        return self._send_off(render_embeddings(request, usage), usage, digest, trouble)

    def _send_off(
        self, reply: bytes, usage: TokenUsage, digest: str, trouble: Trouble | None
    ) -> Reply:
        """The reply, whole and counted unless its trouble is to come in pieces."""
        if trouble == "cut_bodies":
            return Reply(body=reply[: len(reply) // 2], digest=digest)
        if trouble != "resets":
            self.tally.add_answer(usage)
        return Reply(body=reply, digest=digest)


def _find_broken_picture(request: ChatRequest) -> ImageProblem | None:
    parts = (part for message in request.messages for part in message.picture_parts)
    return next((part.picture for part in parts if isinstance(part.picture, ImageProblem)), None)


def _find_model(name: str) -> ModelName | None:
    return next((known for known in MODEL_NAMES if known == name), None)


def _build_unknown_model(name: str, names: tuple[str, ...] = _ALL_MODEL_NAMES) -> Reply:
    message = f"The model {name!r} does not exist; there are {', '.join(names)}."
    return build_error(404, message, code="model_not_found", param="model")


def _describe(exc: ValidationError) -> str:
    """The first thing that is wrong with a request."""
    error = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in error["loc"])
    return (
        f"Invalid request: {place}: {error['msg']}" if place else f"Invalid request: {error['msg']}"
    )
