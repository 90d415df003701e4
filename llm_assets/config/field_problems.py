"""Why does a value not fit its setting, in words about the file rather than about the code?"""

from collections.abc import Iterator
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llm_assets.config.problems import KeyPath, Problem, render_path
from llm_assets.config.shape import (
    find_block,
    find_blocks_with,
    find_type,
    list_choices,
    list_fields,
)
from llm_assets.config.yaml_text import YamlDocument, YamlValue
from llm_assets.errors import suggest

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a block of `key: value` lines",
    "tuple_type": "a list",
    "list_type": "a list",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_SHOWN_CHARS = 60


def build_field_problems(
    error: ValidationError, *, model: type[BaseModel], document: YamlDocument
) -> Iterator[Problem]:
    """One problem for each of Pydantic's complaints."""
    for details in error.errors(include_url=False):
        path = _find_path(document.content, details["loc"])
        match details["type"]:
            case "extra_forbidden":
                yield _build_unknown_key(path, model, document)
            case "missing":
                yield _build_missing_key(path, model, document)
            case _:
                yield _build_bad_value(path, model, document, details)


def find_boolean_problems(model: type[BaseModel], document: YamlDocument) -> Iterator[Problem]:
    """Every `yes`, `off` or `1` where true or false is meant: YAML 1.2 knows them as text alone."""
    for path, text in _list_scalars(document.content):
        if find_type(model, path) is bool and text.lower() not in {"true", "false"}:
            yield Problem(
                position=document.find_position(path),
                path=path,
                what=f"expected true or false, got {render_value(text)}.",
            )


def render_value(value: object) -> str:
    """What a person wrote, short enough for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a block of `key: value` lines"
    text = str(value)
    return repr(text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…")


def _build_unknown_key(path: KeyPath, model: type[BaseModel], document: YamlDocument) -> Problem:
    key, block = str(path[-1]), find_block(find_type(model, path[:-1]))
    allowed = list(list_fields(block)) if block else []
    return Problem(
        position=document.find_position(path, of="key"),
        path=path,
        what="unknown key.",
        remedy=f"{_suggest_place(key, model) or suggest(key, allowed)} Allowed: {', '.join(allowed)}.".strip(),
    )


def _suggest_place(key: str, model: type[BaseModel]) -> str:
    blocks = [
        f"under `{render_path(path)}`" if path else "at the top of the file"
        for path in find_blocks_with(model, key)
    ]
    return f"`{key}` belongs {' or '.join(blocks)}." if blocks else ""


def _build_missing_key(path: KeyPath, model: type[BaseModel], document: YamlDocument) -> Problem:
    block, key = find_block(find_type(model, path[:-1])), str(path[-1])
    meaning = _find_meaning(block, key) if block else ""
    return Problem(
        position=document.find_position(path[:-1], of="key"),
        path=path,
        what="this key is missing.",
        remedy=f"Add `{key}:` {f'({meaning})' if meaning else 'with a value'}.",
    )


def _find_meaning(block: type[BaseModel], key: str) -> str:
    texts = {
        field.alias or name: field.description or "" for name, field in block.model_fields.items()
    }
    return texts[key].rstrip(".")


def _build_bad_value(
    path: KeyPath, model: type[BaseModel], document: YamlDocument, details: ErrorDetails
) -> Problem:
    value = cast("object", details["input"])
    annotation = find_type(model, path)
    is_key = value is None or isinstance(details["input"], dict)
    what, remedy = _explain(details, value=value, annotation=annotation)
    position = document.find_position(path, of="key" if is_key else "value")
    return Problem(position=position, path=path, what=what, remedy=remedy)


def _explain(details: ErrorDetails, *, value: object, annotation: object) -> tuple[str, str]:
    kind, context, given = details["type"], details.get("ctx", {}), render_value(value)
    choices = list_choices(annotation)
    if choices:
        hint = suggest(str(value), choices) if isinstance(value, str) else ""
        return f"unknown value {given}.", f"{hint} Allowed: {', '.join(choices)}.".strip()
    if kind == "value_error":
        return f"{context['error']}.", ""
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"expected {words} {context[bound]:g}, got {given}.", ""
    block = find_block(annotation)
    if block:
        return (
            f"expected a block with keys, got {given}.",
            f"Keys: {', '.join(list_fields(block))}.",
        )
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {given}.", _suggest_list(kind, value)
    return f"{details['msg']} (got {given}).", ""


def _suggest_list(kind: str, value: object) -> str:
    if kind not in {"tuple_type", "list_type"} or isinstance(value, dict):
        return ""
    return f"Write [{value}]." if value is not None else "Write [] for an empty list."


def _find_path(content: object, location: tuple[str | int, ...]) -> KeyPath:
    """Pydantic's place without the labels that it adds for the branches of a union."""
    path: list[str | int] = []
    current = content
    for part in location:
        if isinstance(current, dict) and part in current:
            current = cast("dict[str | int, object]", current)[part]
        elif isinstance(current, list) and isinstance(part, int):
            current = cast("list[object]", current)[part]
        elif part != location[-1]:
            continue
        path.append(part)
    return tuple(path)


def _list_scalars(content: YamlValue, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(content, str):
        yield path, content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _list_scalars(value, (*path, key))
    elif isinstance(content, list):
        for place, value in enumerate(content):
            yield from _list_scalars(value, (*path, place))
