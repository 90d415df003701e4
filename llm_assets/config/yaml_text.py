"""What does a YAML text say, and where does each of its keys and values stand?

Scalars stay as they were typed: which field they land in decides what they mean. Tags, merge keys and keys that
are no text are refused, so that a file holds nothing but text, lists and blocks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

import yaml

from llm_assets.config.base import PlainScalar
from llm_assets.config.problems import (
    START,
    KeyPath,
    Position,
    Problem,
    build_config_error,
    render_place,
)
from llm_assets.config.yaml_faults import build_syntax_problem

YamlValue: TypeAlias = "str | list[YamlValue] | dict[str, YamlValue] | None"

_INVISIBLE = str.maketrans({"\u00a0": " ", "\u202f": " ", "\ufeff": None})
"""No-break spaces and byte order marks, which word processors and web pages leave in copied text."""

REQUIRED_TAG = "!required"
"""Stands before the words that say which value a person has to give."""
EMPTY_SCALARS = frozenset({"", "~", "null", "Null", "NULL"})
_USUAL_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """A parsed text with the places of everything in it."""

    file: str
    """As messages show it."""
    content: YamlValue
    """Unquoted scalars are `PlainScalar`, other text is `str`; an empty text is None."""
    keys: Mapping[KeyPath, Position]
    values: Mapping[KeyPath, Position]
    required: Mapping[KeyPath, str] = field(default_factory=dict[KeyPath, str])
    """Values that a person has still to give, each with what its file says about it; they are None here."""

    def find_position(self, path: KeyPath, *, of: Literal["key", "value"] = "value") -> Position:
        """Where the value at `path` or its key stands; of the nearest block around it where there is none."""
        first, second = (self.values, self.keys) if of == "value" else (self.keys, self.values)
        for length in range(len(path), 0, -1):
            position = first.get(path[:length]) or second.get(path[:length])
            if position:
                return position
        return START

    def render_place(self, path: KeyPath) -> str:
        """`configs/x.yaml:12:3` of the value at `path`."""
        return render_place(self.file, self.find_position(path))


def normalise_text(text: str) -> str:
    """The text with no-break spaces as spaces and without byte order marks; lines and columns stay the same."""
    return text.translate(_INVISIBLE)


def parse_yaml(text: str, *, file: str) -> YamlDocument:
    """The text's content with positions; `ConfigError` naming file, line and column where it is not YAML."""
    clean = normalise_text(text)
    reader = _Reader()
    try:
        root = cast("yaml.Node | None", yaml.compose(clean, Loader=yaml.BaseLoader))
        content = reader.read(root, path=(), parents=()) if root is not None else None
    except (yaml.YAMLError, RecursionError) as exc:
        raise build_config_error(file, [build_syntax_problem(exc, text=clean)]) from exc
    if reader.problems:
        raise build_config_error(file, reader.problems)
    return YamlDocument(
        file=file,
        content=content,
        keys=MappingProxyType(reader.keys),
        values=MappingProxyType(reader.values),
        required=MappingProxyType(reader.required),
    )


@dataclass(slots=True)
class _Reader:
    """Walks a node tree once and notes positions and problems on the way."""

    keys: dict[KeyPath, Position] = field(default_factory=dict[KeyPath, Position])
    values: dict[KeyPath, Position] = field(default_factory=dict[KeyPath, Position])
    required: dict[KeyPath, str] = field(default_factory=dict[KeyPath, str])
    problems: list[Problem] = field(default_factory=list[Problem])

    def read(self, node: yaml.Node, *, path: KeyPath, parents: tuple[int, ...]) -> YamlValue:
        self.values[path] = _position(node)
        if id(node) in parents:
            self._refuse(node, path, "this alias (`*`) stands inside of what it repeats.", "")
            return None
        if node.tag == REQUIRED_TAG and isinstance(node, yaml.ScalarNode):
            self.required[path] = str(node.value).strip()
            return None
        if node.tag not in _USUAL_TAGS:
            self._refuse(node, path, f"the tag `{node.tag}` is not understood.", _QUOTE_MARK)
        inside = (*parents, id(node))
        if isinstance(node, yaml.MappingNode):
            return {
                key: self.read(value, path=(*path, key), parents=inside)
                for key, value in self._read_keys(node, path)
            }
        if isinstance(node, yaml.SequenceNode):
            return [
                self.read(value, path=(*path, place), parents=inside)
                for place, value in enumerate(node.value)
            ]
        return _read_scalar(node)

    def _read_keys(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, yaml.Node]]:
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                what = "a key has to be text, and this is a list or a block."
                self._refuse(key_node, path, what, "Put quotes around text that holds { or [.")
                continue
            key = str(key_node.value)
            earlier = self.keys.get((*path, key))
            if earlier:
                what = f"this key stands in line {earlier.line} already."
                self._refuse(key_node, (*path, key), what, "Keep one of the two.")
                continue
            if key == "<<" and not key_node.style:
                what = "blocks cannot be merged with `<<`."
                self._refuse(key_node, path, what, "Write the keys out.")
                continue
            self.keys[*path, key] = _position(key_node)
            yield key, value_node

    def _refuse(self, node: yaml.Node, path: KeyPath, what: str, remedy: str) -> None:
        self.problems.append(Problem(position=_position(node), path=path, what=what, remedy=remedy))


_QUOTE_MARK = "Put quotes around text that starts with `!`."


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _read_scalar(node: yaml.Node) -> str | None:
    text = str(node.value)
    if getattr(node, "style", None):
        return text
    return None if text in EMPTY_SCALARS else PlainScalar(text)
