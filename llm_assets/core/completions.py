"""What a server's reply to a chat completion really is, whatever its status says.

Servers answer 200 with an HTML page, with a list, with an error object, without choices, with null content or
with half a body; a client library passes most of that on. So the bytes are read here.
"""

import json
from dataclasses import dataclass, replace
from typing import cast

from pydantic import JsonValue

from llm_assets.core.calls import Fault, Usage
from llm_assets.core.characters import replace_unstorable
from llm_assets.core.fault_kinds import decide_fault_kind, is_known_status

MAX_QUOTED_CHARS = 300
MAX_COUNT = 10**12
"""A larger token count is none; databases hold no number of any size."""
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
    try:
        reply = _unwrap_error(cast("JsonValue", json.loads(body)))
    except (ValueError, RecursionError):
        return _broken(f"the body is not JSON: {_quote(body)}")
    if not isinstance(reply, dict):
        return _broken(f"the body is not an object: {_quote(body)}")
    if reply.get("error"):
        return _read_error(reply, status=_read_status(reply["error"]), body=body)
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    # OpenRouter says it there when the model's own server failed.
    if isinstance(choice, dict) and choice.get("error"):
        return _read_error(choice, status=_read_status(choice["error"]), body=body)
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return _broken(f"the reply has no choices: {_quote(body)}")
    return _read_choice(reply, choice, message, body=body)


def read_refused_reply(
    status: int, body: bytes, *, retry_after_seconds: float | None, request_id: str | None
) -> Fault:
    """Read the body of a reply with an error status."""
    try:
        reply = _unwrap_error(cast("JsonValue", json.loads(body)))
    except (ValueError, RecursionError):
        reply = None
    content = reply if isinstance(reply, dict) else {}
    fault = _read_error(content, status=status, body=body)
    return replace(
        fault, http_status=status, retry_after_seconds=retry_after_seconds, request_id=request_id
    )


def _unwrap_error(reply: JsonValue) -> JsonValue:
    """Gemini wraps its errors in a list."""
    first = reply[0] if isinstance(reply, list) and reply else None
    return first if isinstance(first, dict) and "error" in first else reply


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
        return _broken(f"the answer has no content: {_quote(body)}")
    if finish_reason == "error":
        return _broken(f"the model broke off: {_quote(body)}")
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
    prompt_tokens = _read_count(usage, "prompt_tokens")
    completion_tokens = _read_count(usage, "completion_tokens")
    if prompt_tokens is None or completion_tokens is None:
        return None
    cached = _read_count(usage.get("prompt_tokens_details"), "cached_tokens") or 0
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cached_tokens=min(cached, prompt_tokens),
        reasoning_tokens=_read_count(usage.get("completion_tokens_details"), "reasoning_tokens")
        or 0,
    )


def _read_count(counts: JsonValue, name: str) -> int | None:
    """A token count; some servers spell it as text, or with a fraction of zero."""
    count = counts.get(name) if isinstance(counts, dict) else None
    if isinstance(count, bool) or not isinstance(count, int | float | str):
        return None
    try:
        number = float(count)
    except (ValueError, OverflowError):
        return None
    return int(number) if 0 <= number <= MAX_COUNT and number.is_integer() else None


def _read_error(reply: dict[str, JsonValue], *, status: int | None, body: bytes) -> Fault:
    error = reply.get("error")
    content = error if isinstance(error, dict) else reply
    sentence = error if isinstance(error, str) else content.get("message")
    said = sentence.strip() if isinstance(sentence, str) else ""
    message = replace_unstorable(said) or _quote(body)
    kind = decide_fault_kind(status, content, said=said)
    return Fault(kind=kind, message=message[:MAX_QUOTED_CHARS], http_status=status)


def _read_status(error: JsonValue) -> int | None:
    """The HTTP status that an error object names where the reply's own says that all is well."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and is_known_status(code) else None


def _broken(message: str) -> Fault:
    return Fault(kind="broken_body", message=f"The endpoint's reply is no answer: {message}")


def _quote(body: bytes) -> str:
    text = " ".join(body[: 4 * MAX_QUOTED_CHARS].decode("utf-8", "replace").split())
    return replace_unstorable(text)[:MAX_QUOTED_CHARS] or "(empty)"
