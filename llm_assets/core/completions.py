"""What a server's reply to a chat completion really is, whatever its status says.

Servers answer 200 with an HTML page, with a list, with an error object, without choices, with null content or
with half a body; a client library passes most of that on. So the bytes are read here.
"""

from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.calls import Fault, Usage
from llm_assets.core.characters import replace_unstorable
from llm_assets.core.server_replies import (
    build_broken,
    quote_body,
    read_count,
    read_error,
    read_reply_object,
    read_status,
)

MAX_CREATED_SECONDS = 10**11
"""A larger time is not in seconds, and no calendar reaches there."""

_FINISH_REASONS = {
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
}
"""What servers say in place of the standard words; a cut-off answer under another name is still cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A reply that is an answer."""

    text: str | None
    refusal: str | None
    finish_reason: str
    model: str
    usage: Usage | None
    """None where the server counted nothing."""
    created_seconds: int | None
    """The server's clock, in seconds since 1970."""


def read_completion(body: bytes) -> Completion | Fault:
    """Read the body of a successful reply."""
    reply = read_reply_object(body)
    if isinstance(reply, Fault):
        return reply
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    # OpenRouter says it there when the model's own server failed.
    if isinstance(choice, dict) and choice.get("error"):
        return read_error(choice, status=read_status(choice["error"]), body=body)
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return build_broken(f"the reply has no choices: {quote_body(body)}")
    return _read_choice(reply, choice, message, body=body)


def _read_choice(
    reply: dict[str, JsonValue],
    choice: dict[str, JsonValue],
    message: dict[str, JsonValue],
    *,
    body: bytes,
) -> Completion | Fault:
    text = _read_text(message.get("content"))
    refusal = message.get("refusal")
    finish_reason = _read_finish_reason(choice.get("finish_reason"))
    has_ended_early = finish_reason in ("length", "content_filter")
    if text is None and not refusal and not has_ended_early:
        return build_broken(f"the answer has no content: {quote_body(body)}")
    if finish_reason == "error":
        return build_broken(f"the model broke off: {quote_body(body)}")
    return Completion(
        text=text,
        refusal=replace_unstorable(str(refusal)) if refusal else None,
        finish_reason=finish_reason,
        model=replace_unstorable(str(reply.get("model") or "")),
        usage=_read_usage(reply.get("usage")),
        created_seconds=_read_created(reply.get("created")),
    )


def _read_text(content: JsonValue) -> str | None:
    """The text of a message; some servers send it in parts, thinking apart from the answer."""
    if isinstance(content, str):
        return replace_unstorable(content)
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    pieces = [text for text in texts if isinstance(text, str)]
    return replace_unstorable("".join(pieces)) if pieces else None


def _read_finish_reason(said: JsonValue) -> str:
    if not isinstance(said, str) or not said:
        return "unknown"
    name = replace_unstorable(said.lower())
    return _FINISH_REASONS.get(name, name)


def _read_created(created: JsonValue) -> int | None:
    """The server's clock; a few servers say it with a fraction."""
    if isinstance(created, bool) or not isinstance(created, int | float):
        return None
    return int(created) if 1 <= created < MAX_CREATED_SECONDS else None


def _read_usage(usage: JsonValue) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    prompt_tokens = read_count(usage, "prompt_tokens")
    completion_tokens = read_count(usage, "completion_tokens")
    if prompt_tokens is None or completion_tokens is None:
        return None
    cached = read_count(usage.get("prompt_tokens_details"), "cached_tokens") or 0
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cached_tokens=min(cached, prompt_tokens),
        reasoning_tokens=read_count(usage.get("completion_tokens_details"), "reasoning_tokens")
        or 0,
    )
