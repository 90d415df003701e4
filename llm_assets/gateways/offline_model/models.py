"""How the offline models answer a request."""

import hashlib
import json
import re
from typing import Literal, cast, get_args

from pydantic import JsonValue

from llm_assets.gateways.offline_model.chat import (
    ChatRequest,
    Completion,
    FinishReason,
    cut_to_tokens,
)
from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.filling import Filling
from llm_assets.gateways.offline_model.focus import parse_focus
from llm_assets.gateways.offline_model.forms import fill_form, find_form, remove_form
from llm_assets.gateways.offline_model.requested_schema import decide_schema, remove_schema
from llm_assets.gateways.offline_model.schema_reading import parse_shape
from llm_assets.gateways.offline_model.shapes import About
from llm_assets.gateways.offline_model.texts import choose_text

ModelName = Literal["extractive", "echo", "flaky"]
MODEL_NAMES: tuple[ModelName, ...] = get_args(ModelName)
"""`extractive` answers from the prompt's words, `echo` repeats them, `flaky` is right, wrong or broken by turns."""

_FEEDBACK = re.compile(
    r"\s*your (?:last |previous )?(?:answer|reply|response|output)\b", re.IGNORECASE
)
_SUMMARY = About(name="summary")


def build_completion(request: ChatRequest, model: ModelName) -> Completion:
    """The model's answer, cut where the request caps it. It depends on the request alone."""
    if model == "flaky":
        text = _answer_flakily(request)
    else:
        text = _answer(request, is_echo=model == "echo")
    return cap_completion(text, request.token_cap)


def cap_completion(text: str, n_tokens: int | None) -> Completion:
    """The answer, or as much of it as the cap allows."""
    kept = text if n_tokens is None else cut_to_tokens(text, n_tokens)
    finish_reason: FinishReason = "stop" if kept == text else "length"
    return Completion(text=kept, finish_reason=finish_reason)


def build_content(request: ChatRequest) -> Content:
    """What the last user message is about; messages that complain about an answer are passed over.

    Where it has pictures that can be seen, it is about these.
    """
    turns = [message for message in request.messages if message.role == "user"]
    asked = [turn for turn in turns if not _FEEDBACK.match(turn.text)] or turns
    text = (asked[-1].sight or asked[-1].text) if asked else ""
    guidance = "\n".join(
        remove_form(remove_schema(message.text))
        for message in request.messages
        if message.role == "system"
    )
    return Content(focus=parse_focus(remove_form(remove_schema(text))), guidance=guidance)


def _answer(request: ChatRequest, *, is_echo: bool = False) -> str:
    content = build_content(request)
    schema_text = decide_schema(request)
    if schema_text is not None:
        value = Filling(content=content, is_echo=is_echo).fill(parse_shape(schema_text))
        return json.dumps(value, ensure_ascii=False)
    forms = [found for each in request.messages if (found := find_form(each.text)) is not None]
    if forms:
        return fill_form(forms[-1], Filling(content=content, is_echo=is_echo))
    return content.text if is_echo else choose_text(_SUMMARY, content, 0)


def _answer_flakily(request: ChatRequest) -> str:
    """Right, wrong under the schema, or no JSON, as the hash of the messages has it."""
    right = _answer(request)
    words = "\n".join(message.text for message in request.messages)
    turn = hashlib.sha256(words.encode()).digest()[0] % 3
    if turn == 0:
        return right
    return break_json(right) if turn == 2 else _violate_schema(right)


def break_json(text: str) -> str:
    """The first half, which is no JSON any more."""
    return text[: len(text) // 2]


def _violate_schema(text: str) -> str:
    """Valid JSON that lacks its first member and has one that nobody asked for."""
    try:
        value = cast("JsonValue", json.loads(text))
    except ValueError:
        return "I am not sure."
    members = value if isinstance(value, dict) else {"answer": value}
    kept = dict(list(members.items())[1:])
    return json.dumps(
        {**kept, "unasked": "a member that the schema does not know"}, ensure_ascii=False
    )
