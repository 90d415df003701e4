"""Which JSON Schema a model proposed, out of all the words around it."""

import json
import re
from collections.abc import Iterator
from typing import cast

from pydantic import JsonValue

from llm_assets.core.json_schema import JsonObject
from llm_assets.errors import ConfigError

_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(
    r"^[ \t]*(?P<mark>```+|~~~+)[ \t]*(?P<language>[\w-]*)[^\n]*\n(?P<body>.*?)^[ \t]*(?P=mark)[ \t\r]*$",
    re.DOTALL | re.MULTILINE,
)


def parse_proposed_schema(text: str) -> JsonObject:
    """The schema in a model's answer: from the fences marked as JSON first, then the others, then the bare text.

    It is data and nothing else: it is read, never run. Broken JSON is not repaired here, because a schema that is
    nearly what was meant would shape every later answer.

    Raises `ConfigError` naming what is wrong with the first candidate.
    """
    problem = ""
    for candidate in _find_candidates(text):
        try:
            value = _read_start(candidate)
        except ValueError as exc:
            problem = problem or str(exc)
            continue
        if isinstance(value, dict):
            return value
        problem = problem or f"it is {_NAMES[type(value)]}, not an object"
    raise ConfigError(
        f"The model proposed no JSON Schema: {problem or 'the answer holds no JSON object'}; no file was written.",
        remedy="Run again, choose another model, or write the schema module yourself.",
    )


_NAMES: dict[type, str] = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _find_candidates(text: str) -> Iterator[str]:
    bare = _THINKING.sub("", text.lstrip("\ufeff"))
    fences = list(_FENCE.finditer(bare))
    for is_json in (True, False):
        for fence in fences:
            if (fence["language"].lower() == "json") is is_json:
                yield fence["body"].strip()
    start = bare.find("{")
    if start >= 0:
        yield bare[start:]


def _read_start(text: str) -> JsonValue:
    """The JSON value that a text begins with; `ValueError` where there is none, also for a key given twice."""
    decoder = json.JSONDecoder(object_pairs_hook=_build_object, parse_constant=_refuse_constant)
    try:
        value, _ = decoder.raw_decode(text)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc
    return cast("JsonValue", value)


def _build_object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return entries


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
