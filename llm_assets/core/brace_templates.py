"""How a template of the older kind, `{name}`, is read and filled.

Only a plain name can stand between braces: no attribute, no index, no format. A name is looked up and its value
copied, so that nothing in a value can do anything. What an earlier step answered is such a name, too, as in
`{steps.extract.people}`. Doubled braces stand for single ones.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import TemplateRuntimeError, TemplateSyntaxError

from llm_assets.core.safe_cells import render_cell
from llm_assets.core.upstream import StepFields, StepList

_MARKS = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_REMEDY = "`{{` and `}}` stand for single braces"
OLD_ROW_BLOCK = "__ROW_KV_BLOCK__"
"""The older name of `row_block`."""


@dataclass(frozen=True, slots=True)
class BraceName:
    """A name between braces."""

    name: str
    line: int
    """In the template, from 1."""


@dataclass(frozen=True, slots=True)
class BraceTemplate:
    """A text with names in it."""

    pieces: tuple[str | BraceName, ...]

    def render(self, values: Mapping[str, object], /) -> str:
        """The text with every name replaced; `TemplateRuntimeError` for a value that is no text or number."""
        return "".join(
            piece if isinstance(piece, str) else _render_value(piece, values)
            for piece in self.pieces
        )


def parse_braces(source: str) -> BraceTemplate:
    """Read a template; `TemplateSyntaxError` for a brace that neither names a value nor is doubled."""
    return BraceTemplate(tuple(_cut(source)))


def _cut(source: str) -> Iterator[str | BraceName]:
    position = 0
    for mark in _MARKS.finditer(source):
        if mark.start() > position:
            yield source[position : mark.start()]
        position = mark.end()
        line = source.count("\n", 0, mark.start()) + 1
        name = mark["name"]
        if name is not None:
            yield BraceName("row_block" if name == OLD_ROW_BLOCK else name, line)
        elif mark[0] in {"{{", "}}"}:
            yield mark[0][0]
        else:
            raise TemplateSyntaxError(f"a single `{mark[0]}` has no partner; {_REMEDY}", line)
    if position < len(source):
        yield source[position:]


def _render_value(piece: BraceName, values: Mapping[str, object]) -> str:
    value = values[piece.name] if piece.name in values else _find_field(piece, values)
    if isinstance(value, StepFields | StepList):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return render_cell(value)
    raise TemplateRuntimeError(f"{{{piece.name}}} is neither a text nor a number")


def _find_field(piece: BraceName, values: Mapping[str, object]) -> object:
    """What an earlier step answered: keys of its output are looked up, and nothing else."""
    *around, last = piece.name.split(".")
    fields: Mapping[str, object] = values
    for part in around:
        inner = fields.get(part)
        fields = inner if isinstance(inner, StepFields) else {}
    if last not in fields:
        raise TemplateRuntimeError(f"{{{piece.name}}} is not there")
    return fields[last]
