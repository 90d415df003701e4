"""What does a JSON Schema say of one field, for a person who looks at its column?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_schema import DEFS_PREFIX

_RULES = {
    "const": "always {}",
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "characters: at least {}",
    "maxLength": "characters: at most {}",
    "pattern": "matches {}",
    "format": "written as {}",
    "minItems": "entries: at least {}",
    "maxItems": "entries: at most {}",
}
_CHOICES = ("anyOf", "oneOf", "allOf")
_NULL: JsonValue = {"type": "null"}

_Schema = Mapping[str, JsonValue]
_NO_SCHEMA: _Schema = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFacts:
    """What holds for a field in every valid output."""

    description: str | None
    """Of the field, else of what it refers to."""
    rules: tuple[str, ...]
    """Such as `one of: good, bad`, in words."""
    is_always_filled: bool
    """Whether neither it nor what it lies in can be left out or null."""


def describe_field(document: _Schema, path: Sequence[str]) -> FieldFacts:
    """The field that these keys lead to; no keys mean the whole of an output."""
    is_filled = True
    forms = tuple(_list_forms(document, document))
    for name in path:
        is_filled &= any(name in _read_list(form, "required") for form in forms)
        forms = tuple(_list_forms(document, _find_property(forms, name)))
        is_filled &= not any(_is_nullable(form) for form in forms)
    return FieldFacts(
        description=next(
            (str(form["description"]) for form in forms if "description" in form), None
        ),
        rules=tuple(dict.fromkeys(rule for form in forms for rule in _list_rules(form))),
        is_always_filled=is_filled,
    )


def _list_forms(document: _Schema, schema: _Schema) -> Iterator[_Schema]:
    """The schema, then what it refers to or is the only choice beside null, and so on; the outermost one first."""
    seen: list[_Schema] = []
    following: _Schema | None = schema
    # Two models can refer to each other without end.
    while following is not None and all(following is not form for form in seen):
        seen.append(following)
        yield following
        following = _find_next(document, following)


def _find_next(document: _Schema, schema: _Schema) -> _Schema | None:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = _read_mapping(document, "$defs").get(reference.removeprefix(DEFS_PREFIX))
        return found if isinstance(found, dict) else None
    for keyword in _CHOICES:
        solid = [choice for choice in _read_list(schema, keyword) if choice != _NULL]
        if len(solid) == 1 and isinstance(solid[0], dict):
            return solid[0]
    return None


def _find_property(forms: Sequence[_Schema], name: str) -> _Schema:
    found = (_read_mapping(form, "properties").get(name) for form in forms)
    return next((schema for schema in found if isinstance(schema, dict)), _NO_SCHEMA)


def _is_nullable(schema: _Schema) -> bool:
    named = schema.get("type")
    types = named if isinstance(named, list) else [named]
    choices = [choice for keyword in _CHOICES for choice in _read_list(schema, keyword)]
    return "null" in types or _NULL in choices


def _list_rules(schema: _Schema) -> Iterator[str]:
    values = _read_list(schema, "enum")
    if values:
        yield f"one of: {', '.join(map(_render, values))}"
    for keyword, words in _RULES.items():
        if keyword in schema:
            yield words.format(_render(schema[keyword]))


def _render(value: JsonValue) -> str:
    return value if isinstance(value, str) else render_json(value)


def _read_list(schema: _Schema, keyword: str) -> list[JsonValue]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _read_mapping(schema: _Schema, keyword: str) -> _Schema:
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}
