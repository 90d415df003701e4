"""Whether a JSON Schema that a model proposed is one that a schema module can be printed from.

The subset is small on purpose: objects, texts, choices, numbers, booleans, lists, nested objects, and null beside
any of them. Whatever else stands in a proposal is refused with its place, so that a model can mend it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from pydantic import JsonValue

from llm_assets.core.json_schema import DEFS_PREFIX, JsonObject, SchemaProblem

MAX_DEPTH = 6
MAX_PARTS = 400
MAX_CHOICES = 500
MAX_TEXT_CHARS = 2_000
MAX_NUMBER = 2**53
"""Larger whole numbers are not the same number to every JSON reader."""

_NOTES = frozenset({"title", "description", "examples", "$comment", "$schema", "$id"})
_OBJECT = frozenset({"type", "properties", "required", "additionalProperties", "$defs"})
_ARRAY = frozenset({"type", "items", "minItems", "maxItems"})
_TEXT = frozenset({"type", "minLength", "maxLength"})
_CHOICE = frozenset({"type", "enum"})
_BOOLEAN = frozenset({"type"})
_BOUNDS = {"minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt"}
_NUMBER = frozenset({"type", *_BOUNDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """Free text; lengths in characters."""

    min_length: int | None
    max_length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceShape:
    """One of some texts."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberShape:
    """A number within bounds."""

    is_whole: bool
    bounds: tuple[tuple[str, float], ...]
    """Pydantic's names of them, such as `ge`, and their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanShape:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShape:
    """Any number of the same, within bounds."""

    item: "Shape"
    item_description: str
    min_length: int | None
    max_length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """One field of an object."""

    name: str
    """As it stands in the JSON; any text."""
    shape: "Shape"
    description: str
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectShape:
    """An object that has these fields and no others."""

    name: str
    """What it is called after; any text."""
    description: str
    fields: tuple[FieldShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NullableShape:
    """The same, or null."""

    shape: "Shape"


Shape = (
    TextShape | ChoiceShape | NumberShape | BooleanShape | ListShape | ObjectShape | NullableShape
)


def parse_schema_shape(
    schema: JsonObject, *, root_name: str
) -> ObjectShape | tuple[SchemaProblem, ...]:
    """What the schema describes, or everything in it that is outside the subset."""
    reader = _Reader(definitions=_read_definitions(schema))
    place = _Place(path=root_name, name=root_name, depth=0, refs=())
    shape = reader.read(schema, place)
    if shape is not None and not isinstance(shape, ObjectShape):
        reader.report(place, "the root must be an object with fields")
    if isinstance(shape, ObjectShape) and not reader.problems:
        return shape
    return tuple(reader.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in the schema a reader stands."""

    path: str
    name: str
    """What a class for this place is called after."""
    depth: int
    refs: tuple[str, ...]
    """The definitions that this place is part of."""

    def enter_field(self, name: str) -> "_Place":
        path = f"{self.path}.{name[:60]}"
        return _Place(path=path, name=name, depth=self.depth + 1, refs=self.refs)

    def enter_items(self) -> "_Place":
        return _Place(
            path=f"{self.path}[]", name=f"{self.name} item", depth=self.depth + 1, refs=self.refs
        )

    def enter_definition(self, name: str) -> "_Place":
        return _Place(path=self.path, name=name, depth=self.depth, refs=(*self.refs, name))


@dataclass(slots=True, kw_only=True)
class _Reader:
    """One reading under way; every `read` returns None where it has reported a problem."""

    definitions: JsonObject
    problems: list[SchemaProblem] = field(default_factory=list[SchemaProblem])
    n_parts: int = 0

    def report(self, place: _Place, sentence: str) -> None:
        self.problems.append(SchemaProblem(path=place.path, sentence=sentence))

    def read(self, node: JsonValue, place: _Place) -> Shape | None:
        self.n_parts += 1
        if self.n_parts > MAX_PARTS:
            if self.n_parts == MAX_PARTS + 1:
                self.report(place, f"the schema has more than {MAX_PARTS} parts")
            return None
        if max(place.depth, len(place.refs)) > MAX_DEPTH:
            self.report(place, f"it is nested deeper than {MAX_DEPTH} levels")
            return None
        if not isinstance(node, dict):
            self.report(place, "a schema is an object with a `type`")
            return None
        inner = _drop_null(node)
        shape = self._read_present(inner or node, place)
        return NullableShape(shape=shape) if shape is not None and inner is not None else shape

    def _read_present(self, node: JsonObject, place: _Place) -> Shape | None:
        """The shape of what is not null."""
        if "$ref" in node:
            return self._read_ref(node, place)
        if "enum" in node:
            return self._read_choice(node, place)
        match node.get("type"):
            case "object":
                return self._read_object(node, place)
            case "array":
                return self._read_list(node, place)
            case "string":
                self._check_keywords(node, _TEXT, place)
                least, most = self._read_lengths(node, ("minLength", "maxLength"), place)
                return TextShape(min_length=least, max_length=most)
            case "integer" | "number" as kind:
                return self._read_number(node, kind, place)
            case "boolean":
                self._check_keywords(node, _BOOLEAN, place)
                return BooleanShape()
            case other:
                self.report(
                    place,
                    f"`type` is {_quote(other)}; it must be one of object, array, string, integer, number, boolean, "
                    'or a list of one of them and "null"',
                )
                return None

    def _read_ref(self, node: JsonObject, place: _Place) -> Shape | None:
        self._check_keywords(node, frozenset({"$ref", "$defs"}), place)
        ref = node["$ref"]
        name = ref.removeprefix(DEFS_PREFIX) if isinstance(ref, str) else ""
        if not isinstance(ref, str) or not ref.startswith(DEFS_PREFIX):
            self.report(place, f"`$ref` is {_quote(ref)}; only `#/$defs/...` can be referred to")
        elif name not in self.definitions:
            self.report(place, f"`$defs` holds no {_quote(name)}")
        elif name in place.refs:
            self.report(place, f"{_quote(name)} contains itself; write out the levels you need")
        else:
            return self.read(self.definitions[name], place.enter_definition(name))
        return None

    def _read_object(self, node: JsonObject, place: _Place) -> ObjectShape | None:
        self._check_keywords(node, _OBJECT, place)
        if node.get("additionalProperties", False) is not False:
            self.report(place, "`additionalProperties` must be false; list the fields")
        properties = node.get("properties")
        if not isinstance(properties, dict) or not properties:
            self.report(place, "an object needs `properties`")
            return None
        required = self._read_required(node, properties, place)
        fields = [
            self._read_field(name, child, place=place, is_required=name in required)
            for name, child in properties.items()
        ]
        return ObjectShape(
            name=place.name,
            description=self._read_description(node, place),
            fields=tuple(field for field in fields if field is not None),
        )

    def _read_field(
        self, name: str, node: JsonValue, *, place: _Place, is_required: bool
    ) -> FieldShape | None:
        inside = place.enter_field(name)
        self._check_text(name, "a field's name", inside)
        if not name.strip():
            self.report(inside, "a field has no name")
        shape = self.read(node, inside)
        if shape is None:
            return None
        note = self._read_note(node, inside)
        return FieldShape(name=name, shape=shape, description=note, is_required=is_required)

    def _read_required(
        self, node: JsonObject, properties: JsonObject, place: _Place
    ) -> frozenset[str]:
        required = node.get("required", [])
        names = required if isinstance(required, list) else [required]
        unknown = [name for name in names if not isinstance(name, str) or name not in properties]
        if unknown or not isinstance(required, list):
            self.report(place, f"`required` names {_quote(unknown or required)}, which is no field")
        return frozenset(name for name in names if isinstance(name, str))

    def _read_list(self, node: JsonObject, place: _Place) -> ListShape | None:
        self._check_keywords(node, _ARRAY, place)
        least, most = self._read_lengths(node, ("minItems", "maxItems"), place)
        items = node.get("items")
        inside = place.enter_items()
        item = self.read(items, inside)
        if item is None:
            return None
        note = self._read_note(items, inside)
        return ListShape(item=item, item_description=note, min_length=least, max_length=most)

    def _read_choice(self, node: JsonObject, place: _Place) -> ChoiceShape | None:
        self._check_keywords(node, _CHOICE, place)
        values = node["enum"]
        texts = (
            [value for value in values if isinstance(value, str)]
            if isinstance(values, list)
            else []
        )
        if not isinstance(values, list) or len(texts) != len(values) or not texts:
            self.report(place, "`enum` must be a list of texts")
            return None
        if node.get("type", "string") != "string":
            self.report(place, f"`enum` holds texts, but `type` is {_quote(node['type'])}")
        if len(texts) > MAX_CHOICES:
            self.report(place, f"`enum` has more than {MAX_CHOICES} values")
        for text in texts:
            self._check_text(text, "a value of `enum`", place)
        return ChoiceShape(values=tuple(dict.fromkeys(texts)))

    def _read_number(
        self, node: JsonObject, kind: Literal["integer", "number"], place: _Place
    ) -> NumberShape:
        self._check_keywords(node, _NUMBER, place)
        bounds: dict[str, float] = {}
        for keyword, name in _BOUNDS.items():
            if keyword in node:
                value = _parse_bound(node[keyword], is_whole=kind == "integer")
                if value is None:
                    self.report(place, f"`{keyword}` is not a {_NUMBER_WORDS[kind]}")
                else:
                    bounds[name] = value
        self._check_room(bounds, place)
        return NumberShape(is_whole=kind == "integer", bounds=tuple(bounds.items()))

    def _check_room(self, bounds: dict[str, float], place: _Place) -> None:
        for low, high in product(("ge", "gt"), ("le", "lt")):
            least, most = bounds.get(low, -math.inf), bounds.get(high, math.inf)
            if least > most or (least == most and (low, high) != ("ge", "le")):
                self.report(place, "its bounds leave no number")
                return

    def _read_lengths(
        self, node: JsonObject, keywords: tuple[str, str], place: _Place
    ) -> tuple[int | None, int | None]:
        least, most = (self._read_length(node, keyword, place) for keyword in keywords)
        if least is not None and most is not None and least > most:
            self.report(place, f"`{keywords[0]}` is larger than `{keywords[1]}`")
        return least, most

    def _read_length(self, node: JsonObject, keyword: str, place: _Place) -> int | None:
        if keyword not in node:
            return None
        value = _parse_bound(node[keyword], is_whole=True)
        if value is None or value < 0:
            self.report(place, f"`{keyword}` is not a count")
            return None
        return int(value)

    def _read_note(self, node: JsonValue, place: _Place) -> str:
        """The description of a field or item; that of a nested object stands in its class instead."""
        if not isinstance(node, dict) or "properties" in node:
            return ""
        return self._read_description(node, place) or self._read_note(_drop_null(node), place)

    def _read_description(self, node: JsonValue, place: _Place) -> str:
        description = node.get("description", "") if isinstance(node, dict) else ""
        if not isinstance(description, str):
            self.report(place, "`description` is not a text")
            return ""
        self._check_text(description, "the description", place)
        return description.strip()

    def _check_text(self, text: str, what: str, place: _Place) -> None:
        if len(text) > MAX_TEXT_CHARS:
            self.report(place, f"{what} is longer than {MAX_TEXT_CHARS} characters")
        if any("\ud800" <= char <= "\udfff" for char in text):
            self.report(place, f"{what} holds half of a character")

    def _check_keywords(self, node: JsonObject, known: Iterable[str], place: _Place) -> None:
        allowed = _NOTES.union(known)
        for keyword in node:
            if keyword not in allowed and not (keyword == "default" and node[keyword] is None):
                self.report(
                    place,
                    f"{_quote(keyword)} cannot be used here; say it in the description instead",
                )


_NUMBER_WORDS = {"integer": "whole number", "number": "number"}


def _read_definitions(schema: JsonObject) -> JsonObject:
    definitions = schema.get("$defs")
    return definitions if isinstance(definitions, dict) else {}


def _drop_null(node: JsonObject) -> JsonObject | None:
    """What a node allows beside null, or None where it does not allow null."""
    kinds = node.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        rest = [kind for kind in kinds if kind != "null"]
        return _drop_null_choice({**node, "type": rest[0] if len(rest) == 1 else list(rest)})
    if node.get("nullable") is True:
        rest = {key: value for key, value in node.items() if key != "nullable"}
        return _drop_null_choice(rest)
    options = node.get("anyOf")
    if isinstance(options, list) and len(options) == 2 and {"type": "null"} in options:
        option = options[0] if options[1] == {"type": "null"} else options[1]
        beside = {key: node[key] for key in node.keys() - _NOTES - {"anyOf"}}
        return {**beside, **option} if isinstance(option, dict) else None
    return None


def _drop_null_choice(node: JsonObject) -> JsonObject:
    values = node.get("enum")
    if not isinstance(values, list):
        return node
    return {**node, "enum": [value for value in values if value is not None]}


def _parse_bound(value: JsonValue, *, is_whole: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        return None
    if not is_whole:
        return value
    return int(value) if value == int(value) else None


def _quote(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(_quote(item) for item in value[:3]) or "nothing"
    text = "an object" if isinstance(value, dict) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
