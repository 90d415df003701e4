"""What does a person set for one run, and where among the settings does it belong?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args, get_origin

from pydantic import BaseModel, JsonValue

from llm_assets.config.base import FreeValue, PlainScalar
from llm_assets.config.problems import KeyPath, Position, build_joint_error, render_path
from llm_assets.config.shape import (
    find_block,
    find_blocks_with,
    find_named_block,
    find_type,
    list_choices,
    list_fields,
)
from llm_assets.config.yaml_text import EMPTY_SCALARS, YamlDocument, YamlValue, parse_yaml
from llm_assets.errors import ConfigError, suggest

FIXED_SETTINGS = ("extends",)
"""What says which settings there are cannot itself be set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A setting and its value for one run."""

    path: str
    """Such as `llm.temperature`."""
    value: str | JsonValue
    """As it was typed, or as plain data."""
    is_typed: bool
    """Whether it is text from a command line, which the setting's type gives a meaning."""


def parse_assignment(text: str) -> Assignment:
    """Read `llm.temperature=0.2`; `ConfigError` where it is no such thing."""
    path, equals, value = text.partition("=")
    if not (path.strip() and equals):
        raise ConfigError(
            f"--set {text}: this sets nothing.", remedy="Write `--set llm.temperature=0.2`."
        )
    return Assignment(path=path.strip(), value=value, is_typed=True)


def build_override(
    model: type[BaseModel], assignments: Sequence[Assignment], *, label: str
) -> YamlDocument:
    """The assignments as a document to be laid over a file's; its places are `label`.

    `ConfigError` that lists every path that is no setting, with a suggestion, and every value that cannot be read.
    """
    content: dict[str, YamlValue] = {}
    paths: list[KeyPath] = []
    problems: list[str] = []
    for assignment in assignments:
        try:
            path = _find_path(model, assignment.path)
            _refuse_second(path, paths)
            value = _read_value(assignment, find_type(model, path), label=label)
        except ConfigError as exc:
            problems.append(f"{label} {exc}")
            continue
        paths.append(path)
        _put(content, path, value)
    if problems:
        raise _build_error(problems)
    place = Position(0, 0, label)
    places = {path[:length]: place for path in paths for length in range(len(path) + 1)}
    return YamlDocument(
        file=label,
        content=content,
        keys=MappingProxyType(places),
        values=MappingProxyType(places),
    )


def _build_error(problems: Sequence[str]) -> ConfigError:
    if len(problems) == 1:
        return ConfigError(problems[0])
    return build_joint_error(f"{len(problems)} settings cannot be set:", problems)


def _refuse_second(path: KeyPath, others: Sequence[KeyPath]) -> None:
    if path in others:
        raise ConfigError(f"{render_path(path)}: this is set twice.", remedy="Keep one of the two.")


def _find_path(model: type[BaseModel], name: str) -> KeyPath:
    """The place that a name such as `llm.temperature` stands for."""
    if name in FIXED_SETTINGS:
        raise ConfigError(f"{name}: this can be said in a file alone.")
    path: KeyPath = ()
    parts = name.split(".")
    for number, part in enumerate(parts):
        around = find_type(model, path)
        if get_origin(around) is dict:
            rest = parts[number:]
            # A provider's own parameters are blocks in blocks; other keys are names, which may hold dots.
            is_free = get_args(around)[1] == FreeValue
            return (*path, *(rest if is_free else [".".join(rest)]))
        block = find_block(around)
        if find_named_block(around):
            # Whether there is an entry of this name is told where it is laid over the list.
            path = (*path, part)
            continue
        if block is None or part not in list_fields(block):
            raise _build_unknown(model, block, path, name=name, part=part)
        path = (*path, part)
    return path


def _build_unknown(
    model: type[BaseModel], block: type[BaseModel] | None, path: KeyPath, *, name: str, part: str
) -> ConfigError:
    above = ".".join(map(str, path))
    if block is None:
        return ConfigError(f"{name}: `{above}` is one value and holds no others.")
    fields = list(list_fields(block))
    others = [".".join(map(str, (*found, part))) for found in find_blocks_with(model, part)]
    close = suggest(part, fields)
    if others and not close:
        hint = f"Did you mean {' or '.join(map(repr, others))}?"
    else:
        prefix = f"{above}." if above else ""
        hint = close.replace("'", f"'{prefix}", 1)
    inside = f"under `{above}`" if above else "at the top"
    return ConfigError(
        f"{name}: there is no such setting.",
        remedy=f"{hint} There is {inside}: {', '.join(fields)}.".strip(),
    )


def _read_value(assignment: Assignment, annotation: object, *, label: str) -> YamlValue:
    if not assignment.is_typed:
        return _to_yaml(assignment.value)
    text = str(assignment.value)
    is_text = annotation is str and text.strip()[:1] not in {"'", '"'}
    if is_text or list_choices(annotation):
        return None if text in EMPTY_SCALARS else PlainScalar(text)
    document = parse_yaml(text, file=f"{label} {assignment.path}")
    if document.required:
        raise ConfigError(f"{assignment.path}: `!required` is no value.", remedy="Give one.")
    return document.content


def _to_yaml(value: JsonValue) -> YamlValue:
    """Plain data as if it stood unquoted in a file, so that the setting's type gives it its meaning."""
    if value is None:
        return None
    if isinstance(value, bool):
        return PlainScalar("true" if value else "false")
    if isinstance(value, Mapping):
        return {key: _to_yaml(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_to_yaml(entry) for entry in value]
    return PlainScalar(str(value))


def _put(content: dict[str, YamlValue], path: Iterable[str | int], value: YamlValue) -> None:
    *around, last = map(str, path)
    block = content
    for part in around:
        inner = block.setdefault(part, {})
        if not isinstance(inner, dict):
            inner = block[part] = {}
        block = inner
    block[last] = value
