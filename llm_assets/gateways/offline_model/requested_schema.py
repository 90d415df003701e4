"""Which schema an answer has to follow, and which part of a prompt is that schema and no content."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from pydantic import JsonValue

from llm_assets.gateways.offline_model.chat import ChatRequest, SchemaFormat

MAX_TRIES = 50
"""So many braces of a prompt are tried as the start of a schema; source code has many."""

_SIBLING, _POINTER = '"$ref": "#/models/', '"$ref": "#/$defs/'
_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSchema:
    """A JSON schema, or a document of several, inside of a text."""

    start: int
    end: int
    document: Mapping[str, JsonValue]


def decide_schema(request: ChatRequest) -> str | None:
    """The JSON text of the schema to follow, its members in their order, or None for free text.

    `response_format` counts before the prompt. Where the prompt shows a model with the same properties, that one
    is taken: strict schemas leave out limits that the answer is validated by all the same.
    """
    texts = [message.text for message in request.messages]
    found = next((each for text in texts if (each := find_schema(text)) is not None), None)
    models = _list_models(found.document) if found else {}
    if isinstance(request.response_format, SchemaFormat):
        requested = request.response_format.json_schema.schema_
        same = (each for each in models.values() if _has_same_properties(each, requested))
        return json.dumps(next(same, requested))
    if not models:
        is_json = request.response_format is not None and request.response_format.type != "text"
        return json.dumps(_ANY_OBJECT) if is_json else None
    around = "\n".join(remove_schema(text) for text in texts)
    return json.dumps(models[_decide_model(tuple(models), around)])


@lru_cache(maxsize=64)
def find_schema(text: str) -> FoundSchema | None:
    """The first JSON object in the text that is a schema or a document of schemas."""
    if '"type"' not in text and '"properties"' not in text:
        return None
    start = text.find("{")
    for _ in range(MAX_TRIES):
        if start < 0:
            return None
        try:
            value, end = cast("tuple[dict[str, JsonValue], int]", _decode(text, start))
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        if _is_schema(value):
            return FoundSchema(start=start, end=end, document=value)
        start = text.find("{", end)
    return None


def remove_schema(text: str) -> str:
    """The text without the schema in it."""
    found = find_schema(text)
    return text if found is None else f"{text[: found.start]}{text[found.end :]}"


_ANY_OBJECT: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "description": "a summary"}},
}


def _is_schema(value: Mapping[str, JsonValue]) -> bool:
    models = value.get("models")
    if isinstance(models, dict) and models:
        return all(isinstance(model, dict) for model in models.values())
    kind = value.get("type")
    return isinstance(value.get("properties"), dict) or (isinstance(kind, str) and kind in _TYPES)


def _list_models(document: Mapping[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    """The schemas of a document by name; definitions that they share are put into each."""
    models = document.get("models")
    if not isinstance(models, dict):
        return {"": dict(document)}
    shared = document.get("$defs")
    named = {
        name: _point_inside(model) for name, model in models.items() if isinstance(model, dict)
    }
    siblings = named if _POINTER in json.dumps(named) else {}
    if not isinstance(shared, dict) and not siblings:
        return named
    around = {**siblings, **(shared if isinstance(shared, dict) else {})}
    return {
        name: {**model, "$defs": {**around, **cast("dict[str, JsonValue]", model.get("$defs", {}))}}
        for name, model in named.items()
    }


def _point_inside(model: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The model with references to its siblings in the document as references to its own definitions."""
    text = json.dumps(model)
    return json.loads(text.replace(_SIBLING, _POINTER)) if _SIBLING in text else model


def _has_same_properties(schema: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> bool:
    mine, theirs = schema.get("properties"), other.get("properties")
    return isinstance(mine, dict) and isinstance(theirs, dict) and mine.keys() == theirs.keys()


def _decide_model(names: tuple[str, ...], around: str) -> str:
    """The model that the prompt names last; else the first one that is no judge's."""
    mentioned = max(names, key=around.rfind)
    if mentioned and mentioned in around:
        return mentioned
    return next((name for name in names if "judge" not in name.lower()), names[0])
