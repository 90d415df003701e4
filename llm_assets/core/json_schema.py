"""What a JSON Schema is as data, how a model becomes one, and how trouble in one is named."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import GenerateJsonSchema

JsonObject = dict[str, JsonValue]

DEFS_PREFIX = "#/$defs/"
MAX_PROBLEMS_SHOWN = 10

MODULE_PREFIX = "llm_assets_schema_"
"""How the names of imported schema modules begin; a hash of the source follows."""
_MODULE_NAME = re.compile(rf"{MODULE_PREFIX}[0-9a-f]+")

_SCHEMA_MAPS = frozenset({"properties", "patternProperties", "$defs"})
_SCHEMA_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SCHEMAS = frozenset({"items", "additionalProperties", "propertyNames", "contains", "not"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaProblem:
    """Something in a schema that cannot be used as it is."""

    path: str
    """Field names from the root or from a nested model, such as `LLMOutput.tags[].name`."""
    sentence: str
    """What stands there and what would do instead."""


class StableNames(GenerateJsonSchema):
    """Names two models of one name by their outer classes, and not by the module, whose name is a hash.

    Otherwise a new comment in the module would change the schema, and with it the key of every call.
    """

    def normalize_name(self, name: str) -> str:
        """The name of a definition."""
        return super().normalize_name(_MODULE_NAME.sub("schema", name))


def build_json_schema(
    model: type[BaseModel], *, mode: Literal["validation", "serialization"] = "validation"
) -> JsonObject:
    """What the model accepts, or gives out, as JSON Schema with its nested models under `$defs`."""
    schema = cast("JsonObject", model.model_json_schema(schema_generator=StableNames, mode=mode))
    return drop_non_finite(schema)


def drop_non_finite(schema: JsonObject) -> JsonObject:
    """The schema without bounds and defaults that JSON cannot spell, such as an infinite one."""
    return {key: _drop_inside(child) for key, child in schema.items() if _is_finite(child)}


def _drop_inside(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return drop_non_finite(value)
    if isinstance(value, list):
        return [_drop_inside(child) for child in value if _is_finite(child)]
    return value


def _is_finite(value: JsonValue) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def render_problem(problem: SchemaProblem) -> str:
    """A problem in a line, its place first."""
    return f"`{problem.path}`: {problem.sentence}"


def render_problems(problems: Iterable[SchemaProblem]) -> str:
    """One line a problem; long lists are cut and say so."""
    lines = [render_problem(problem) for problem in problems]
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
