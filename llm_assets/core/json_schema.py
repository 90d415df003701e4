"""What a JSON Schema is as data, and how trouble in one is named."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]

DEFS_PREFIX = "#/$defs/"
MAX_PROBLEMS_SHOWN = 10

_SCHEMA_MAPS = frozenset({"properties", "patternProperties", "$defs", "models"})
_SCHEMA_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SCHEMAS = frozenset({"items", "additionalProperties", "propertyNames", "contains", "not"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaProblem:
    """Something in a schema that cannot be used as it is."""

    path: str
    """Field names from the root or from a nested model, such as `LLMOutput.tags[].name`."""
    sentence: str
    """What stands there and what would do instead."""


def render_problems(problems: Iterable[SchemaProblem]) -> str:
    """One line a problem; long lists are cut and say so."""
    lines = [f"`{problem.path}`: {problem.sentence}" for problem in problems]
    shown = lines[:MAX_PROBLEMS_SHOWN]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more")
    return "\n".join(shown)


def drop_echoing_titles(schema: JsonValue, *, name: str | None = None) -> JsonValue:
    """The schema without titles that only repeat the name they stand under.

    Pydantic gives every field such a title; in a prompt they cost tokens in each call and say nothing.
    """
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: _drop_below(keyword, value)
        for keyword, value in schema.items()
        if keyword != "title" or name is None or not _is_echo(value, name)
    }


def _drop_below(keyword: str, value: JsonValue) -> JsonValue:
    if keyword in _SCHEMA_MAPS and isinstance(value, dict):
        return {name: drop_echoing_titles(child, name=name) for name, child in value.items()}
    if keyword in _SCHEMA_LISTS and isinstance(value, list):
        return [drop_echoing_titles(child) for child in value]
    return drop_echoing_titles(value) if keyword in _SCHEMAS else value


def _is_echo(title: JsonValue, name: str) -> bool:
    return isinstance(title, str) and _letters(title) == _letters(name)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
