"""How a text's vector is asked for, and what of the reply counts.

A vector's call is a call like any other: its key is the hash of the address, the model, the dimensions and the
text, and its answer is kept as the base64 of the vector's numbers.
"""

from dataclasses import replace

from pydantic import JsonValue

from llm_assets.config.embed import EmbedSettings
from llm_assets.core.calls import CallRequest, CallSettings, Fault, Message, Usage
from llm_assets.core.characters import replace_unstorable
from llm_assets.core.completions import Completion
from llm_assets.core.server_replies import build_broken, quote_body, read_count, read_reply_object
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.core.vectors import is_vector, parse_vector, render_vector

FINISH_REASON = "stop"
"""A vector is never cut off; the word stands where every answer on record has one."""


def build_embedding_settings(embed: EmbedSettings, *, base_url: str) -> CallSettings:
    """What the calls for all vectors of a task share.

    The address is that of the embeddings, so that no chat call with the same words can have the same key.
    """
    return CallSettings(
        endpoint=f"{base_url.rstrip('/')}/embeddings",
        model=embed.model,
        response_format=None,
        parameters={} if embed.dimensions is None else {"dimensions": embed.dimensions},
        token_parameter="",
    )


def build_embedding_request(settings: CallSettings, text: str) -> CallRequest:
    """The call for one text's vector. It is never asked twice, so it has one attempt and no epoch."""
    return CallRequest(
        settings=settings,
        messages=(Message(role="user", content=text),),
        max_output_tokens=None,
        attempt=1,
        epoch=0,
        occurrence=0,
    )


def build_embedding_body(request: CallRequest) -> dict[str, JsonValue]:
    """The JSON object that is sent; base64 takes a third of the bytes that decimal numbers take."""
    return {
        "model": request.settings.model,
        "input": request.messages[0].content,
        "encoding_format": "base64",
        **request.settings.parameters,
    }


def read_embedding(body: bytes) -> Completion | Fault:
    """Read the body of a successful reply; servers that know no base64 send a list of numbers."""
    reply = read_reply_object(body)
    if isinstance(reply, Fault):
        return reply
    entries = reply.get("data")
    entry = entries[0] if isinstance(entries, list) and len(entries) == 1 else None
    vector = _read_vector(entry.get("embedding") if isinstance(entry, dict) else None)
    if vector is None:
        return build_broken(f"the reply has no vector: {quote_body(body)}")
    return Completion(
        text=vector,
        refusal=None,
        finish_reason=FINISH_REASON,
        model=replace_unstorable(str(reply.get("model") or "")),
        usage=_read_usage(reply.get("usage")),
        created_seconds=None,
    )


def count_missing_usage(completion: Completion, request: CallRequest) -> Completion:
    """The reply with our own count of the text's tokens where the server gave none."""
    if completion.usage is not None:
        return completion
    n_tokens = count_tokens_approximately(request.messages[0].content)
    usage = Usage(prompt_tokens=n_tokens, completion_tokens=0, is_approximate=True)
    return replace(completion, usage=usage)


def _read_vector(said: JsonValue) -> str | None:
    if isinstance(said, str):
        return said if parse_vector(said) is not None else None
    if not isinstance(said, list):
        return None
    values = [value for value in said if isinstance(value, int | float)]
    is_whole = len(values) == len(said) and is_vector(values)
    return render_vector(values) if is_whole else None


def _read_usage(usage: JsonValue) -> Usage | None:
    """Some servers count only the total, which is the same: a vector has no tokens."""
    n_tokens = read_count(usage, "prompt_tokens")
    if n_tokens is None:
        n_tokens = read_count(usage, "total_tokens")
    return None if n_tokens is None else Usage(prompt_tokens=n_tokens, completion_tokens=0)
