"""What a template of a prompt file says, in either syntax: which names it uses, where, and in which order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, assert_never

from jinja2 import meta, nodes

from llm_assets.config.prompt import TemplateSyntax
from llm_assets.core.brace_templates import BraceName, BraceTemplate, parse_braces
from llm_assets.core.short_text import shorten_line
from llm_assets.core.templating import template_environment

MAX_SHOWN_CHARS = 40
"""What stands between single braces may be a page of JSON."""


class Template(Protocol):
    """A text with names in it, ready to be filled."""

    def render(self, values: Mapping[str, object], /) -> str:
        """The text for one item."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A name in a template."""

    name: str
    shown: str
    """As it is written there."""
    line: int
    """Where it is first used, from 1."""
    is_key: bool = False
    """Whether it is looked for in `row`, where there are columns alone."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a template: what it says itself, and what it takes from elsewhere."""

    text: str
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptText:
    """A template that was read."""

    template: Template
    uses: tuple[Use, ...]
    segments: tuple[Segment, ...]
    """In the order in which they are sent."""

    @property
    def names(self) -> frozenset[str]:
        """Every name that has to be there."""
        return frozenset(use.name for use in self.uses if not use.is_key)


def read_prompt_text(source: str, syntax: TemplateSyntax) -> PromptText:
    """Read a template; `jinja2.TemplateSyntaxError` with the line where it cannot be read."""
    match syntax:
        case "jinja":
            return _read_jinja(source)
        case "braces":
            return _read_braces(parse_braces(source))
        case _:
            assert_never(syntax)


def _read_braces(template: BraceTemplate) -> PromptText:
    lines: dict[str, int] = {}
    for piece in template.pieces:
        if isinstance(piece, BraceName):
            lines.setdefault(piece.name, piece.line)
    return PromptText(
        template=template,
        uses=tuple(
            Use(name=name, shown=f"{{{shorten_line(name, max_chars=MAX_SHOWN_CHARS)}}}", line=line)
            for name, line in lines.items()
        ),
        segments=tuple(
            Segment(piece) if isinstance(piece, str) else Segment("", frozenset([piece.name]))
            for piece in template.pieces
        ),
    )


def _read_jinja(source: str) -> PromptText:
    tree = template_environment.parse(source)
    names = frozenset(meta.find_undeclared_variables(tree))
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        lines.setdefault(node.name, node.lineno)
    uses = [Use(name=name, shown=f"{{{{ {name} }}}}", line=lines[name]) for name in sorted(names)]
    return PromptText(
        template=template_environment.from_string(source),
        uses=(*uses, *(_list_row_keys(tree) if "row" in names else ())),
        segments=tuple(_list_segments(tree, names)),
    )


def _list_row_keys(tree: nodes.Template) -> Iterator[Use]:
    """The columns that a template reaches as `row["name"]` or `row.name`."""
    if any(name.name == "row" and name.ctx != "load" for name in tree.find_all(nodes.Name)):
        return  # the template gives the name a meaning of its own
    keys: dict[str, int] = {}
    for node in tree.find_all((nodes.Getitem, nodes.Getattr)):
        target = node.node
        if not isinstance(target, nodes.Name) or target.name != "row":
            continue
        if isinstance(node, nodes.Getattr) and not hasattr(dict, node.attr):
            keys.setdefault(node.attr, node.lineno)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            keys.setdefault(str(node.arg.value), node.lineno)
    for key in sorted(keys):
        yield Use(name=key, shown=f'{{{{ row["{key}"] }}}}', line=keys[key], is_key=True)


def _list_segments(tree: nodes.Template, names: frozenset[str]) -> Iterator[Segment]:
    """The top level of a template; what stands inside of a condition or loop counts as one piece."""
    for node in tree.body:
        parts = node.nodes if isinstance(node, nodes.Output) else [node]
        for part in parts:
            own = [part] if isinstance(part, nodes.Name) else []
            used = {name.name for name in (*own, *part.find_all(nodes.Name))}
            yield Segment(_join_texts(part), frozenset(used) & names)


def _join_texts(node: nodes.Node) -> str:
    texts = [node] if isinstance(node, nodes.TemplateData) else node.find_all(nodes.TemplateData)
    return "".join(text.data for text in texts)
