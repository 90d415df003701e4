"""Whether a model's text is an answer: JSON, and valid under the task's schema."""

import json
import re
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel, JsonValue, ValidationError

from llm_assets.core.fingerprint import render_json

MAX_PROBLEMS_SHOWN = 5

_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"```[ \t]*([\w-]*)[ \t]*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidAnswer:
    """An answer that the schema accepts."""

    output: dict[str, JsonValue]
    is_repaired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidAnswer:
    """An answer that it does not, with what the model is told about it."""

    problem: str


def parse_answer(text: str, output_model: type[BaseModel]) -> ValidAnswer | InvalidAnswer:
    """Read a complete answer; broken JSON is repaired as a last resort and then marked.

    Never call it on a cut-off answer: a repaired fragment can look valid.
    """
    judged = _validate(text, output_model, is_repaired=False)
    if judged is not None:
        return judged
    found = _find_json(text)
    if found is not None:
        judged = _validate(found.text, output_model, is_repaired=found.is_repaired)
    return judged or InvalidAnswer(problem="The answer is not JSON.")


def _validate(
    text: str, output_model: type[BaseModel], *, is_repaired: bool
) -> ValidAnswer | InvalidAnswer | None:
    """The verdict of the schema, or None where the text is not JSON."""
    try:
        valid = output_model.model_validate_json(text, strict=True)
    except ValidationError as exc:
        return None if _is_about_json(exc) else InvalidAnswer(problem=_render_problems(exc))
    output = cast("dict[str, JsonValue]", valid.model_dump(mode="json", by_alias=True))
    try:
        render_json(output)
    except ValueError:  # NaN and infinity, which no artifact can hold
        return InvalidAnswer(problem="The answer holds a number that is not finite.")
    return ValidAnswer(output=output, is_repaired=is_repaired)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    text: str
    is_repaired: bool


def _find_json(text: str) -> _Found | None:
    bare = _strip_wrapping(text)
    for candidate in (bare, bare[_find_start(bare) :]):
        data = _read_json(candidate)
        if data is not None:
            return _Found(text=_spell(data), is_repaired=False)
    return _repair(bare)


def _strip_wrapping(text: str) -> str:
    """The text without a model's thinking and without the code fence around it, the JSON one first."""
    text = _THINKING.sub("", text.lstrip("\ufeff")).strip()
    fences = cast("list[tuple[str, str]]", _FENCE.findall(text))
    if not fences:
        return text
    named = [body for language, body in fences if language.lower() == "json"]
    return (named or [body for _, body in fences])[0].strip()


def _find_start(text: str) -> int:
    starts = [position for mark in "{[" if (position := text.find(mark)) >= 0]
    return min(starts, default=0)


def _read_json(text: str) -> JsonValue:
    """The JSON value at the start of a text, or None; raw control characters in strings are tolerated."""
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):  # deep nesting raises the latter
        return None
    return cast("JsonValue", value)


def _repair(text: str) -> _Found | None:
    from json_repair import repair_json

    if not any(mark in text for mark in "{["):
        return None  # prose would be "repaired" to an empty string
    try:
        value = cast("JsonValue", repair_json(text[_find_start(text) :], return_objects=True))
    except RecursionError:
        return None
    return _Found(text=_spell(value), is_repaired=True) if value not in ("", None) else None


def _spell(value: JsonValue) -> str:
    """JSON text whose lone surrogates, which no file can hold, are replaced."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def _is_about_json(exc: ValidationError) -> bool:
    return any(error["type"] == "json_invalid" for error in exc.errors(include_url=False))


def _render_problems(exc: ValidationError) -> str:
    errors = exc.errors(include_url=False, include_context=False)
    lines = [
        f"`{'.'.join(str(part) for part in error['loc']) or 'answer'}`: {error['msg']}"
        for error in errors[:MAX_PROBLEMS_SHOWN]
    ]
    if len(errors) > MAX_PROBLEMS_SHOWN:
        lines.append(f"and {len(errors) - MAX_PROBLEMS_SHOWN} more")
    return "; ".join(lines)
