"""Whether two JSON values are the same, and which values a document holds where."""

import json
from collections.abc import Iterator
from typing import NoReturn, cast

from pydantic import JsonValue

Place = tuple[str | int, ...]
"""Keys of objects and places in lists, from the outside in."""


def is_same_json(one: JsonValue, other: JsonValue) -> bool:
    """Equal as JSON has it: 1 is 1.0, but no truth value is a number; the order of keys does not matter."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            is_same_json(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return one == other


def parse_json_value(text: str) -> JsonValue:
    """The value that a text holds as JSON; `ValueError` where it holds none."""
    try:
        return cast("JsonValue", json.loads(text, parse_constant=_refuse))
    except RecursionError as exc:
        raise ValueError("too deep") from exc


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def list_leaves(value: JsonValue, place: Place = ()) -> Iterator[tuple[Place, JsonValue]]:
    """Every value that holds no others, with its place; an empty list or object is one."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from list_leaves(each, (*place, key))
    elif isinstance(value, list) and value:
        for at, each in enumerate(value):
            yield from list_leaves(each, (*place, at))
    else:
        yield place, value


def find_at(value: JsonValue, place: Place) -> JsonValue:
    """The value at a place; None where there is nothing."""
    at = value
    for step in place:
        if isinstance(at, dict) and isinstance(step, str):
            at = at.get(step)
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
        else:
            return None
    return at


def parse_dotted_path(path: str) -> Place:
    """The place that a dotted path names; `tags.0` is the first of the tags."""
    return tuple(
        int(part) if part.isascii() and part.isdigit() else part for part in path.split(".")
    )
