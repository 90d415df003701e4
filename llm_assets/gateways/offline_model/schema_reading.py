"""How a JSON schema becomes a tree of shapes."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from pydantic import JsonValue

from llm_assets.gateways.offline_model.shapes import (
    About,
    AnyOf,
    Choice,
    Member,
    Number,
    Record,
    Sequence,
    Shape,
    Text,
    Truth,
)

Schema = Mapping[str, JsonValue]

ANY_TEXT = Text()
_NULL = Choice(options=(None,))
_KEYWORD_IN_WORDS = re.compile(
    r"\b(minLength|maxLength|pattern|format|minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf"
    r"|minItems|maxItems|uniqueItems|minProperties|maxProperties): "
    r"(\"(?:[^\"\\]|\\.)*\"|true|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
)
_TYPE_BY_KEYWORD = {
    "properties": "object",
    "additionalProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
    "format": "string",
    "minimum": "number",
    "maximum": "number",
    "multipleOf": "number",
}


@lru_cache(maxsize=64)
def parse_shape(schema_text: str) -> Shape:
    """The shape of a schema's JSON text; a schema that nothing satisfies counts as any text."""
    schema = cast("Schema", json.loads(schema_text))
    return _Reader(schema).read(schema, frozenset()) or ANY_TEXT


class _Reader:
    """Reads one schema. None stands for a shape that no finite value has.

    A type inside of itself is left out, so that trees end.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root

    def read(self, schema: Schema, seen: frozenset[str]) -> Shape | None:
        pointer = schema.get("$ref")
        if isinstance(pointer, str):
            return self._read_reference(schema, pointer, seen)
        if isinstance(schema.get("allOf"), list):
            return self.read(_merge(schema, _list_schemas(schema, "allOf")), seen)
        if "const" in schema:
            return Choice(options=(schema["const"],))
        options = schema.get("enum")
        if isinstance(options, list) and options:
            return Choice(options=tuple(options))
        for keyword in ("anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list):
                shared = {key: value for key, value in schema.items() if key != keyword}
                return self._read_any(
                    [_merge(shared, [each]) for each in _list_schemas(schema, keyword)], seen
                )
        return self._read_type(_read_limits_in_words(schema), seen)

    def _read_reference(self, schema: Schema, pointer: str, seen: frozenset[str]) -> Shape | None:
        if pointer in seen:
            return None
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = _follow(self._root, pointer)
        return self.read(_merge(target, [beside]) if beside else target, seen | {pointer})

    def _read_any(self, schemas: list[Schema], seen: frozenset[str]) -> Shape | None:
        shapes = [shape for each in schemas if (shape := self.read(each, seen)) is not None]
        ordered = sorted(shapes, key=lambda shape: shape == _NULL)
        return (
            ordered[0] if len(ordered) == 1 else AnyOf(options=tuple(ordered)) if ordered else None
        )

    def _read_type(self, schema: Schema, seen: frozenset[str]) -> Shape | None:
        types = schema.get("type")
        if isinstance(types, list):
            return self._read_any([{**schema, "type": each} for each in types], seen)
        if types is None:
            types = next(
                (_TYPE_BY_KEYWORD[key] for key in schema if key in _TYPE_BY_KEYWORD), "string"
            )
        match types:
            case "object":
                return self._read_record(schema, seen)
            case "array":
                return self._read_sequence(schema, seen)
            case "integer" | "number":
                return _read_number(schema, is_integer=types == "integer")
            case "boolean":
                return Truth()
            case "null":
                return _NULL
            case _:
                return _read_text(schema)

    def _read_record(self, schema: Schema, seen: frozenset[str]) -> Record | None:
        required = schema.get("required")
        names = [str(each) for each in required] if isinstance(required, list) else []
        properties = {**_get_schema(schema, "properties")}
        for name in names:
            properties.setdefault(name, schema.get("additionalProperties"))
        members: list[Member] = []
        for name, value in properties.items():
            shape = self.read(_as_schema(value), seen)
            if shape is not None:
                about = About(name=name, description=self._describe(_as_schema(value)))
                members.append(Member(name=name, shape=shape, about=about))
            elif name in names:
                return None
        return Record(
            members=tuple(members),
            required=frozenset(names),
            key=self._read_key(schema, seen),
            extra=self._read_extra(schema, seen),
            min_members=_get_int(schema, "minProperties") or 0,
            max_members=_get_int(schema, "maxProperties"),
        )

    def _read_extra(self, schema: Schema, seen: frozenset[str]) -> Shape | None:
        patterns = _get_schema(schema, "patternProperties")
        extra = next(iter(patterns.values()), schema.get("additionalProperties"))
        is_open = isinstance(extra, dict) or (extra is True and not schema.get("properties"))
        return self.read(_as_schema(extra), seen) if is_open else None

    def _read_key(self, schema: Schema, seen: frozenset[str]) -> Shape | None:
        patterns = _get_schema(schema, "patternProperties")
        if patterns:
            return Text(pattern=next(iter(patterns)))
        names = schema.get("propertyNames")
        return self.read(_as_schema(names), seen) if isinstance(names, dict) else ANY_TEXT

    def _read_sequence(self, schema: Schema, seen: frozenset[str]) -> Sequence | None:
        first = [self.read(each, seen) for each in _list_schemas(schema, "prefixItems")]
        items = schema.get("items", True)
        rest = (
            None
            if items is False or (first and items is True)
            else self.read(_as_schema(items), seen)
        )
        shapes = tuple(shape for shape in first if shape is not None)
        min_items = _get_int(schema, "minItems") or 0
        if len(shapes) < len(first) or (rest is None and min_items > len(first)):
            return None
        return Sequence(
            first=shapes,
            rest=rest,
            min_items=min_items,
            max_items=_get_int(schema, "maxItems"),
            is_unique=schema.get("uniqueItems") is True,
        )

    def _describe(self, schema: Schema) -> str:
        """The description of a member and of the type that it refers to."""
        own = schema.get("description")
        pointer = schema.get("$ref")
        said = _follow(self._root, pointer).get("description") if isinstance(pointer, str) else None
        return " ".join(text for text in (own, said) if isinstance(text, str))


def _read_text(schema: Schema) -> Text:
    pattern, text_format = schema.get("pattern"), schema.get("format")
    return Text(
        min_length=_get_int(schema, "minLength") or 0,
        max_length=_get_int(schema, "maxLength"),
        pattern=pattern if isinstance(pattern, str) else None,
        format=text_format if isinstance(text_format, str) else None,
    )


def _read_number(schema: Schema, *, is_integer: bool) -> Number:
    low, high = _get_number(schema, "minimum"), _get_number(schema, "maximum")
    open_low = _get_number(schema, "exclusiveMinimum")
    open_high = _get_number(schema, "exclusiveMaximum")
    is_low_open = open_low is not None and (low is None or open_low >= low)
    is_high_open = open_high is not None and (high is None or open_high <= high)
    return Number(
        is_integer=is_integer,
        low=open_low if is_low_open else low,
        high=open_high if is_high_open else high,
        is_low_open=is_low_open,
        is_high_open=is_high_open,
        step=_get_number(schema, "multipleOf"),
    )


def _read_limits_in_words(schema: Schema) -> Schema:
    """The schema with the limits that its description names, for those that a strict schema cannot hold."""
    description = schema.get("description")
    if not isinstance(description, str):
        return schema
    limits: dict[str, JsonValue] = {}
    for keyword, value in cast("list[tuple[str, str]]", _KEYWORD_IN_WORDS.findall(description)):
        limits[keyword] = cast("JsonValue", json.loads(value))
    return {**limits, **schema}


def _merge(schema: Schema, others: list[Schema]) -> Schema:
    """One schema that asks for what all of them ask for; where two say the same keyword, the later one counts."""
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for other in others:
        for key, value in other.items():
            mine = merged.get(key)
            if key == "properties" and isinstance(mine, dict) and isinstance(value, dict):
                merged[key] = {**mine, **value}
            elif key == "required" and isinstance(mine, list) and isinstance(value, list):
                merged[key] = [*mine, *value]
            else:
                merged[key] = value
    return merged


def _follow(root: Schema, pointer: str) -> Schema:
    """The part of the schema that a `$ref` names; an empty schema where there is none."""
    found: JsonValue = dict(root)
    for part in pointer.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return _as_schema(found)


def _as_schema(value: JsonValue) -> Schema:
    return value if isinstance(value, dict) else {}


def _get_schema(schema: Schema, key: str) -> Schema:
    return _as_schema(schema.get(key))


def _list_schemas(schema: Schema, key: str) -> list[Schema]:
    values = schema.get(key)
    return [_as_schema(each) for each in values] if isinstance(values, list) else []


def _get_number(schema: Schema, key: str) -> float | None:
    value = schema.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _get_int(schema: Schema, key: str) -> int | None:
    value = _get_number(schema, key)
    return None if value is None else int(value)
