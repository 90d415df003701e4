"""What the part of a text answer says, as a value of its field's type."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent

from pydantic import JsonValue

from llm_assets.core.short_text import shorten_line
from llm_assets.core.text_form import ListField, NumberField, PlainField, TextField
from llm_assets.core.text_lines import Line
from llm_assets.core.text_scores import MAX_QUOTED_CHARS, Bounds, NoScore, read_score

MAX_LABEL_WORDS = 4
"""Commas separate items only where every item is this short; they belong to sentences otherwise."""

NOTHING = frozenset({"", "-", "\u2013", "\u2014", "none", "none.", "n/a", "na", "null", "nothing"})
_ITEM = re.compile(
    r"(?P<indent>[ \t]*)(?:(?:[-*+\u2013\u2014]|\(?\d{1,3}[.)])[ \t]+|[\u2022\u2023\u00b7][ \t]*)(?:\[[ xX]\][ \t]+)?(?P<text>.*)"
)
_MARKS = "*_`\"'\u201c\u201d\u201e\u2018\u2019 \t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Why a part gives no value."""

    problem: str


@dataclass(slots=True, kw_only=True)
class _Item:
    indent: int
    lines: list[str]
    is_open: bool = True
    """Whether further lines belong to it."""


def read_value(lines: Sequence[Line], field: PlainField | ListField) -> JsonValue | Unread:
    """The value of a part's lines."""
    if isinstance(field, ListField):
        return _read_list(lines, field)
    return _read_plain(render_lines(lines), field)


def render_lines(lines: Sequence[Line]) -> str:
    """The text of the lines, without what is around it; its own line breaks stay."""
    first, *rest = [line.text for line in lines] or [""]
    body = dedent("\n".join(line if line.strip() else "" for line in rest))
    return "\n".join(line.rstrip() for line in f"{first.strip()}\n{body}".split("\n")).strip()


def _read_plain(text: str, field: PlainField) -> JsonValue | Unread:
    plain = text.strip(_MARKS).lower()
    if field.is_nullable and plain in NOTHING:
        return None
    if not plain:
        return Unread(problem="the part is empty")
    if isinstance(field, TextField):
        return text
    if isinstance(field, NumberField):
        bounds = Bounds(low=field.low, high=field.high, is_integer=field.is_integer)
        score = read_score(text, bounds)
        return Unread(problem=score.problem) if isinstance(score, NoScore) else score
    # One that begins like another is looked for first: `not recommended` before `not`.
    for option in sorted(field.options, key=lambda option: -len(option)):
        if _begins_with(plain, option):
            return field.options[option]
    shown = shorten_line(text, max_chars=MAX_QUOTED_CHARS)
    return Unread(problem=f"`{shown}` is none of {', '.join(field.options)}")


def _begins_with(text: str, option: str) -> bool:
    """Whether a text is an option, or one with more behind a mark, as in `positive (0.9)`."""
    words = re.escape(option.lower()).replace("_", r"[\s_-]?").replace(r"\ ", r"[\s_-]?")
    return re.match(rf"{words}[*_`\"']{{0,3}}\s{{0,3}}(?:[^\w\s]|\n|\Z)", text) is not None


def _read_list(lines: Sequence[Line], field: ListField) -> JsonValue | Unread:
    texts = _split_items(lines)
    if len(texts) == 1 and texts[0].strip(_MARKS).lower() in NOTHING:
        return []
    values: list[JsonValue] = []
    for number, text in enumerate(texts, start=1):
        value = _read_plain(text, field.item)
        if isinstance(value, Unread):
            return Unread(problem=f"item {number}: {value.problem}")
        values.append(value)
    return values


def _split_items(lines: Sequence[Line]) -> list[str]:
    """The items of a list; a text without any mark of a list has one a line, or several labels on its only line."""
    marked = [_match_item(line) is not None for line in lines]
    if any(marked):
        return _join_items(lines[marked.index(True) :])
    texts = [line.text.strip() for line in lines if line.text.strip()]
    return _split_labels(texts[0]) if len(texts) == 1 else texts


def _join_items(lines: Sequence[Line]) -> list[str]:
    """Items with what continues them; what stands below an item at its own depth or less, after a blank, is none."""
    items: list[_Item] = []
    is_after_blank = False
    for line in lines:
        match = _match_item(line)
        indent = len(line.text) - len(line.text.lstrip())
        if match is not None and (not items or indent < items[-1].indent + 2):
            items.append(_Item(indent=indent, lines=[match["text"].strip()]))
        elif not line.text.strip():
            is_after_blank = True
            continue
        elif items[-1].is_open and not (is_after_blank and indent <= items[-1].indent):
            _continue_item(items[-1], line, is_nested=match is not None)
        else:
            items[-1].is_open = False
        is_after_blank = False
    return [text for item in items if (text := "\n".join(item.lines).strip())]


def _continue_item(item: _Item, line: Line, *, is_nested: bool) -> None:
    if is_nested or line.kind == "code":
        item.lines.append(line.text.strip())
    else:
        item.lines[-1] = f"{item.lines[-1]} {line.text.strip()}".strip()


def _split_labels(text: str) -> list[str]:
    """`a; b` is two items, and `a, b` is where both are short."""
    for mark in ";", ",":
        pieces = [piece.strip() for piece in text.split(mark)]
        is_split = mark == ";" or all(0 < len(piece.split()) <= MAX_LABEL_WORDS for piece in pieces)
        if len(pieces) > 1 and is_split:
            return [piece for piece in pieces if piece]
    return [text]


def _match_item(line: Line) -> re.Match[str] | None:
    return None if line.kind == "code" else _ITEM.fullmatch(line.text)
