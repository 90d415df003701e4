"""What all replies of a server have in common: they may be no JSON, hold an error, or spell numbers oddly."""

import json
from dataclasses import replace
from typing import cast

from pydantic import JsonValue

from llm_assets.core.calls import Fault
from llm_assets.core.characters import replace_unstorable
from llm_assets.core.fault_kinds import decide_fault_kind, is_known_status

MAX_QUOTED_CHARS = 300
MAX_COUNT = 10**12
"""A larger token count is none; databases hold no number of any size."""


def read_reply_object(body: bytes) -> dict[str, JsonValue] | Fault:
    """The JSON object of a successful reply, unless it is none or an error in disguise."""
    try:
        reply = _unwrap_error(cast("JsonValue", json.loads(body)))
    except (ValueError, RecursionError):
        return build_broken(f"the body is not JSON: {quote_body(body)}")
    if not isinstance(reply, dict):
        return build_broken(f"the body is not an object: {quote_body(body)}")
    if reply.get("error"):
        return read_error(reply, status=read_status(reply["error"]), body=body)
    return reply


def read_refused_reply(
    status: int, body: bytes, *, retry_after_seconds: float | None, request_id: str | None
) -> Fault:
    """Read the body of a reply with an error status."""
    try:
        reply = _unwrap_error(cast("JsonValue", json.loads(body)))
    except (ValueError, RecursionError):
        reply = None
    content = reply if isinstance(reply, dict) else {}
    fault = read_error(content, status=status, body=body)
    return replace(
        fault, http_status=status, retry_after_seconds=retry_after_seconds, request_id=request_id
    )


def read_error(reply: dict[str, JsonValue], *, status: int | None, body: bytes) -> Fault:
    """The fault that an object with an error tells of."""
    error = reply.get("error")
    content = error if isinstance(error, dict) else reply
    sentence = error if isinstance(error, str) else content.get("message")
    said = sentence.strip() if isinstance(sentence, str) else ""
    message = replace_unstorable(said) or quote_body(body)
    kind = decide_fault_kind(status, content, said=said)
    return Fault(kind=kind, message=message[:MAX_QUOTED_CHARS], http_status=status)


def read_status(error: JsonValue) -> int | None:
    """The HTTP status that an error object names where the reply's own says that all is well."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and is_known_status(code) else None


def read_count(counts: JsonValue, name: str) -> int | None:
    """A token count; some servers spell it as text, or with a fraction of zero."""
    count = counts.get(name) if isinstance(counts, dict) else None
    if isinstance(count, bool) or not isinstance(count, int | float | str):
        return None
    try:
        number = float(count)
    except (ValueError, OverflowError):
        return None
    return int(number) if 0 <= number <= MAX_COUNT and number.is_integer() else None


def build_broken(message: str) -> Fault:
    """A successful reply that answers nothing."""
    return Fault(kind="broken_body", message=f"The endpoint's reply is no answer: {message}")


def quote_body(body: bytes) -> str:
    """The beginning of a body, on one line."""
    text = " ".join(body[: 4 * MAX_QUOTED_CHARS].decode("utf-8", "replace").split())
    return replace_unstorable(text)[:MAX_QUOTED_CHARS] or "(empty)"


def _unwrap_error(reply: JsonValue) -> JsonValue:
    """Gemini wraps its errors in a list."""
    first = reply[0] if isinstance(reply, list) and reply else None
    return first if isinstance(first, dict) and "error" in first else reply
