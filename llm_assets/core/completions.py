"""What a server's reply to a chat completion really is, whatever its status says.

Servers answer 200 with an HTML page, with a list, with an error object, without choices, with null content or
with half a body; a client library passes most of that on. So the bytes are read here.
"""

import json
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from llm_assets.core.calls import Fault, FaultKind, Usage

MAX_QUOTED_CHARS = 300
FAR_FUTURE_SECONDS = 4_102_444_800
"""The year 2100: a server whose clock is beyond it counts in milliseconds."""

_KIND_BY_STATUS: dict[int, FaultKind] = {
    401: "bad_key",
    402: "no_credit",
    403: "forbidden",
    404: "unknown_model",
    408: "timed_out",
    409: "server_error",
    429: "rate_limited",
}

_SETTINGS_WORDS = (
    "response_format",
    "json_schema",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
)
"""What a rejection names that would come back for every item, whatever its text."""


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
        reply = cast("JsonValue", json.loads(body))
    except (ValueError, RecursionError):
        return _broken(f"the body is not JSON: {_quote(body)}")
    if not isinstance(reply, dict):
        return _broken(f"the body is not an object: {_quote(body)}")
    if reply.get("error"):
        return _read_error(reply, status=_read_code(reply["error"]), body=body)
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return _broken(f"the reply has no choices: {_quote(body)}")
    return _read_choice(reply, choice, message, body=body)


def read_refused_reply(
    status: int, body: bytes, *, retry_after_seconds: float | None, request_id: str | None
) -> Fault:
    """Read the body of a reply with an error status."""
    try:
        reply = cast("JsonValue", json.loads(body))
    except (ValueError, RecursionError):
        reply = None
    if isinstance(reply, list) and reply:  # Gemini wraps its errors in a list
        reply = reply[0]
    content = reply if isinstance(reply, dict) else {}
    fault = _read_error(content, status=status, body=body)
    return Fault(
        kind=fault.kind,
        message=fault.message,
        http_status=status,
        retry_after_seconds=retry_after_seconds,
        request_id=request_id,
    )


def _read_choice(
    reply: dict[str, JsonValue],
    choice: dict[str, JsonValue],
    message: dict[str, JsonValue],
    *,
    body: bytes,
) -> Completion | Fault:
    text = message.get("content")
    refusal = message.get("refusal")
    finish_reason = choice.get("finish_reason")
    has_ended_early = finish_reason in ("length", "content_filter")
    if not isinstance(text, str) and not refusal and not has_ended_early:
        return _broken(f"the answer has no content: {_quote(body)}")
    created = _read_count(reply, "created") or 0
    return Completion(
        text=_mend_text(text) if isinstance(text, str) else None,
        refusal=_mend_text(str(refusal)) if refusal else None,
        finish_reason=_mend_text(finish_reason) if isinstance(finish_reason, str) else "unknown",
        model=_mend_text(str(reply.get("model") or "")),
        usage=_read_usage(reply.get("usage")),
        created_seconds=created if 0 < created < FAR_FUTURE_SECONDS else None,
    )


def _mend_text(text: str) -> str:
    """The text with `?` for half characters, which a server that cuts at a token leaves and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


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
    """A token count; some servers spell it as text."""
    count = counts.get(name) if isinstance(counts, dict) else None
    if isinstance(count, str) and count.isdecimal():
        return int(count)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _read_error(reply: dict[str, JsonValue], *, status: int | None, body: bytes) -> Fault:
    error = reply.get("error")
    content = error if isinstance(error, dict) else reply
    message = content.get("message")
    said = message if isinstance(message, str) and message else _quote(body)
    code = str(content.get("code") or content.get("type") or "")
    param = str(content.get("param") or "")
    kind = _decide_kind(status, code=code, param=param, said=said)
    return Fault(kind=kind, message=_mend_text(said[:MAX_QUOTED_CHARS]), http_status=status)


def _decide_kind(status: int | None, *, code: str, param: str, said: str) -> FaultKind:
    if "insufficient_quota" in code or "insufficient_quota" in said:
        return "quota_exhausted"
    if code == "model_not_found":
        return "unknown_model"
    if status is None or status >= 500:
        return "server_error"
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    is_about_settings = any(word in param or word in said for word in _SETTINGS_WORDS)
    return "rejected_settings" if is_about_settings else "rejected_request"


def _read_code(error: JsonValue) -> int | None:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else None


def _broken(message: str) -> Fault:
    return Fault(kind="broken_body", message=f"The endpoint's reply is no answer: {message}")


def _quote(body: bytes) -> str:
    text = " ".join(body.decode("utf-8", "replace").split())
    return text[:MAX_QUOTED_CHARS] or "(empty)"
