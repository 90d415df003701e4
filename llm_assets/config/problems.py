"""How mistakes in a file are told: where each one is, what is wrong and what to write in its place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llm_assets.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""The keys and list places that lead to a value, from the top of the file."""


class Position(NamedTuple):
    """A place in a text, both parts from 1, as editors count."""

    line: int
    column: int
    file: str = ""
    """Where it is another file than the one that is told about; a line of 0 means that it has no lines."""


START = Position(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing a person has to change in a file."""

    position: Position
    path: KeyPath = ()
    what: str
    """A whole sentence that starts in lower case where a path stands before it."""
    remedy: str = ""


def render_place(file: str, position: Position) -> str:
    """`configs/x.yaml:12:3`, which editors and terminals open at that place."""
    shown = position.file or file
    return f"{shown}:{position.line}:{position.column}" if position.line else shown


def render_path(path: KeyPath) -> str:
    """`llm.temperature` or `export.formats[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def build_config_error(file: str, problems: Sequence[Problem]) -> ConfigError:
    """One error for all problems of a file, in the order in which they stand in it."""
    ordered = sorted(problems, key=lambda problem: (problem.position.file, problem.position))
    if len(ordered) == 1:
        return ConfigError(_render_what(file, ordered[0]), remedy=ordered[0].remedy)
    lines = [f"{_render_what(file, problem)} {problem.remedy}".strip() for problem in ordered]
    return build_joint_error(f"{file} has {len(lines)} problems:", lines)


def build_joint_error(headline: str, lines: Iterable[str]) -> ConfigError:
    """One error that lists several mistakes, each on a line of its own."""
    return ConfigError("\n  ".join([headline, *lines]))


def _render_what(file: str, problem: Problem) -> str:
    parts = (render_place(file, problem.position), render_path(problem.path), problem.what)
    return ": ".join(part for part in parts if part)
