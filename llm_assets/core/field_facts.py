"""What does a JSON Schema say of one field, for a person who looks at its column?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.fingerprint import render_json
from llm_assets.core.schema_fields import CHOICES, NULL, Schema, get_list, get_mapping, list_forms

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
_NO_SCHEMA: Schema = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFacts:
    """What holds for a field in every valid output."""

    description: str | None
    """Of the field, else of what it refers to."""
    rules: tuple[str, ...]
    """Such as `one of: good, bad`, in words."""
    is_always_filled: bool
    """Whether neither it nor what it lies in can be left out or null."""


def describe_field(document: Schema, path: Sequence[str]) -> FieldFacts:
    """The field that these keys lead to; no keys mean the whole of an output."""
    is_filled = True
    forms = tuple(list_forms(document, document))
    for name in path:
        is_filled &= any(name in get_list(form, "required") for form in forms)
        forms = tuple(list_forms(document, _find_property(forms, name)))
        is_filled &= not any(_is_nullable(form) for form in forms)
    return FieldFacts(
        description=next(
            (str(form["description"]) for form in forms if "description" in form), None
        ),
        rules=tuple(dict.fromkeys(rule for form in forms for rule in _list_rules(form))),
        is_always_filled=is_filled,
    )


def _find_property(forms: Sequence[Schema], name: str) -> Schema:
    found = (get_mapping(form, "properties").get(name) for form in forms)
    return next((schema for schema in found if isinstance(schema, dict)), _NO_SCHEMA)


def _is_nullable(schema: Schema) -> bool:
    named = schema.get("type")
    types = named if isinstance(named, list) else [named]
    choices = [choice for keyword in CHOICES for choice in get_list(schema, keyword)]
    return "null" in types or NULL in choices


def _list_rules(schema: Schema) -> Iterator[str]:
    values = get_list(schema, "enum")
    if values:
        yield f"one of: {', '.join(map(_render, values))}"
    for keyword, words in _RULES.items():
        if keyword in schema:
            yield words.format(_render(schema[keyword]))


def _render(value: JsonValue) -> str:
    return value if isinstance(value, str) else render_json(value)
