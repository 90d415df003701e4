"""What each line of a markdown text is: text, a heading, code or a rule.

A text that a model wrote is seldom clean markdown: it may be indented as a whole, or leave out blank lines. So the
blocks are found by a parser of markdown, in which indented text is no code, and everything else goes by lines.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LineKind = Literal["text", "heading", "underlined", "code", "rule"]
"""`underlined` is a line above dashes, which is a heading to a parser and mostly a text above a rule to a writer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a text, without its end."""

    text: str
    kind: LineKind = "text"
    level: int = 0
    """How deep a heading is, from 1."""


def parse_lines(text: str) -> tuple[Line, ...]:
    """The lines of a text, whichever way they end, each with what it is."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [Line(text=line) for line in unified.split("\n")]
    for token in _build_parser().parse(unified):
        if token.map is not None:
            _mark(lines, token, start=token.map[0], end=min(token.map[1], len(lines)))
    return tuple(lines)


def _mark(lines: list[Line], token: "Token", *, start: int, end: int) -> None:
    if token.type == "fence":
        for place in range(start, end):
            lines[place] = Line(text=lines[place].text, kind="code")
    elif token.type == "hr" and token.level == 0:
        lines[start] = Line(text=lines[start].text, kind="rule")
    elif token.type == "heading_open" and token.level == 0:
        _mark_heading(lines, token, start=start, end=end)


def _mark_heading(lines: list[Line], token: "Token", *, start: int, end: int) -> None:
    if token.markup.startswith("#"):
        lines[start] = Line(text=lines[start].text, kind="heading", level=int(token.tag[1:]))
        return
    lines[end - 1] = Line(text=lines[end - 1].text, kind="rule")
    if end - start == 2:  # a longer one is a paragraph with a rule below it
        is_double = token.markup == "="
        kind: LineKind = "heading" if is_double else "underlined"
        lines[start] = Line(text=lines[start].text, kind=kind, level=1 if is_double else 2)


@cache
def _build_parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").disable(["code", "reference", "html_block"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
