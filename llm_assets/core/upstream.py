"""How a prompt reads what earlier steps answered, as `steps.<name>.<field>`, and which of that there can be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from jinja2 import nodes

from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import StepName
from llm_assets.core.schema_fields import Schema, is_declared, list_unknown_fields
from llm_assets.errors import suggest

STEPS = "steps"
"""The name in prompts."""


class StepFields(dict[str, object]):
    """An object in a prompt: its fields come before the methods of a dict, and its text is JSON."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        super().__init__({str(name): _wrap(value) for name, value in fields.items()})

    def __getattribute__(self, name: str) -> object:
        """The field of this name; a field may be called `items`."""
        return self[name] if name in self else super().__getattribute__(name)

    def __str__(self) -> str:
        """The object as JSON on one line."""
        return render_json(self)


class StepList(list[object]):
    """A list in a prompt, whose text is JSON."""

    def __str__(self) -> str:
        """The list as JSON on one line."""
        return render_json(self)


def _wrap(value: object) -> object:
    if isinstance(value, Mapping):
        return StepFields(cast("Mapping[str, object]", value))
    if isinstance(value, list | tuple):
        return StepList(_wrap(each) for each in cast("Sequence[object]", value))
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownField:
    """Something of an earlier step that a template names and that cannot be there."""

    expression: str
    line: int
    """Where it is first used, from 1."""
    remedy: str


def find_unknown_fields(
    template: nodes.Template, schemas: Mapping[StepName, Schema]
) -> Iterator[UnknownField]:
    """What a template reads of earlier steps that no output of theirs has.

    `schemas` are those of the outputs of all steps that come before. A template that gives `steps` a meaning of its
    own is left alone.
    """
    names = list(template.find_all(nodes.Name))
    if any(name.name == STEPS and name.ctx != "load" for name in names):
        return
    paths: dict[tuple[str, ...], int] = {}
    for path, line in _list_paths(template):
        paths.setdefault(path, line)
    for path, line in paths.items():
        is_whole = not any(len(other) > len(path) and other[: len(path)] == path for other in paths)
        unknown = _check_path(path, schemas, line=line) if is_whole else None
        if unknown is not None:
            yield unknown


def find_undeclared_fields(
    names: Iterable[tuple[str, int]], schemas: Mapping[StepName, Schema]
) -> Iterator[UnknownField]:
    """Of plain names such as `steps.extract.people`, with their lines, those that no output declares."""
    for name, line in names:
        path = tuple(name.split("."))[1:]
        schema = schemas.get(StepName(path[0]))
        if schema is None or not is_declared(schema, path[1:]):
            unknown = _check_path(path, schemas, line=line, has_methods=False)
            remedy = "What is in lists and free objects has no name of its own."
            yield unknown or UnknownField(expression=name, line=line, remedy=remedy)


def _check_path(
    path: tuple[str, ...],
    schemas: Mapping[StepName, Schema],
    *,
    line: int,
    has_methods: bool = True,
) -> UnknownField | None:
    step, fields = StepName(path[0]), path[1:]
    expression = ".".join((STEPS, *path))
    if step not in schemas:
        there_is = _render_names("It comes after", schemas) or "It comes after no step."
        return UnknownField(
            expression=expression,
            line=line,
            remedy=f"{suggest(step, schemas)} {there_is}".strip(),
        )
    known = list_unknown_fields(schemas[step], fields)
    if known is None or (has_methods and _is_method(fields[-1])):
        return None
    hint = suggest(fields[-1], known)
    return UnknownField(
        expression=expression,
        line=line,
        remedy=f"{hint} {_render_names('Fields there', known)}".strip(),
    )


def _is_method(name: str) -> bool:
    """Whether it is one of every object in a template, as in `steps.extract.items()`."""
    return hasattr(dict, name)


def _render_names(intro: str, names: Iterable[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names)
    return f"{intro}: {shown}." if shown else ""


def _list_paths(template: nodes.Template) -> Iterator[tuple[tuple[str, ...], int]]:
    for node in template.find_all((nodes.Getattr, nodes.Getitem)):
        path = _read_path(node)
        if path:
            yield path, node.lineno


def _read_path(node: nodes.Node) -> tuple[str, ...] | None:
    """The names behind `steps`; None where the node leads elsewhere, or by something that is not known yet."""
    if isinstance(node, nodes.Name):
        return () if node.name == STEPS else None
    if isinstance(node, nodes.Getattr):
        before, name = _read_path(node.node), node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        before, name = _read_path(node.node), str(node.arg.value)
    else:
        return None
    return None if before is None else (*before, name)
