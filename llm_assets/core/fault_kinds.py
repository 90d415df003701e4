"""What an error reply of a provider is about: the moment, the account, the settings, or this one request."""

from pydantic import JsonValue

from llm_assets.core.calls import FaultKind

_KIND_BY_WORD: dict[str, FaultKind] = {
    "insufficient_quota": "quota_exhausted",
    "model_not_found": "unknown_model",
    "invalid_api_key": "bad_key",
    "rate_limit_exceeded": "rate_limited",
    "context_length_exceeded": "rejected_request",
    "content_filter": "rejected_request",
    "content_policy_violation": "rejected_request",
}
"""What providers put into an error's `code` or `type`; more exact than the status."""

_KIND_BY_STATUS: dict[int, FaultKind] = {
    401: "bad_key",
    402: "no_credit",
    403: "forbidden",
    404: "unknown_model",
    405: "unknown_model",
    408: "timed_out",
    409: "server_error",
    429: "rate_limited",
}

_SETTINGS_WORDS = (
    "response_format",
    "response_schema",
    "json_schema",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
)
"""What a rejection names that would come back for every item, whatever its text."""


def decide_fault_kind(status: int | None, error: dict[str, JsonValue], *, said: str) -> FaultKind:
    """The kind of a fault.

    Args:
        status: The HTTP status; None where it said that all is well and the body names no other.
        error: The reply's error object.
        said: Its sentence for people.
    """
    for word in (error.get("code"), error.get("type")):
        if isinstance(word, str) and word in _KIND_BY_WORD:
            return _KIND_BY_WORD[word]
    if "insufficient_quota" in said:
        return "quota_exhausted"
    if status is None or status >= 500:
        return "server_error"
    if status == 403 and "flagged" in said:  # OpenRouter's moderation, which is about one text
        return "rejected_request"
    return _KIND_BY_STATUS.get(status) or _decide_rejection(error, said=said)


def is_known_status(number: int) -> bool:
    """Whether a number in an error object is an HTTP status of a failed request."""
    return 400 <= number < 600


def _decide_rejection(error: dict[str, JsonValue], *, said: str) -> FaultKind:
    if "API key not valid" in said:  # Gemini answers 400
        return "bad_key"
    if (
        "maximum context length" in said
    ):  # vLLM names the cap there, but the item's text is too long
        return "rejected_request"
    # The sentence may quote the item's text, so it counts only where no parameter is named.
    named = str(error.get("param") or said)
    return (
        "rejected_settings"
        if any(word in named for word in _SETTINGS_WORDS)
        else "rejected_request"
    )
