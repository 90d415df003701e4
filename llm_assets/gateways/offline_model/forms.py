"""Which form in a prompt an answer is to have, and how the form is filled.

A form is a code fence in the prompt with blanks in it, such as `<a number from 1 to 10>`. What is around the blanks
comes back as it is written; what goes into one is told by its words and by the heading or label that it stands
under. Anything else that a prompt says about the form of an answer is not understood here.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from textwrap import dedent

from llm_assets.gateways.offline_model.filling import Filling
from llm_assets.gateways.offline_model.shapes import About, Choice, Number, Shape, Text

_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*(?:markdown|md|text)?[ \t]*\n(?P<form>.*?)^[ \t]*\1[ \t]*$\n?",
    re.DOTALL | re.MULTILINE,
)
_BLANK = re.compile(r"<([^<>/\n][^<>\n]{2,199})>")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+(?P<name>[^<:\n]+):?")
_LABEL = re.compile(r"[ \t]*(?:[-*][ \t]+)?[*_]{0,2}(?P<name>[^\W\d][^<:*\n]{0,60}?)[*_]{0,2}:")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]")
_AND_SO_ON = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])?[ \t]*(?:\.\.\.|\u2026)[ \t]*")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)[ \t]*(?:\bto\b|-|\u2013|\band\b)[ \t]*(-?\d+(?:\.\d+)?)")
_NUMBER_WORDS = re.compile(r"\b(?:number|score|integer|points|stars|from|between)\b", re.IGNORECASE)
_ONE_OF = re.compile(r"\A(?:one of|either)\b:?", re.IGNORECASE)
_BETWEEN_OPTIONS = re.compile(r"[ \t]*(?:\||/|,[ \t]*or\b|,|\bor\b)[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundForm:
    """A form inside of a text."""

    start: int
    end: int
    text: str


@lru_cache(maxsize=64)
def find_form(text: str) -> FoundForm | None:
    """The last fence in the text that has blanks."""
    forms = [match for match in _FENCE.finditer(text) if _BLANK.search(match["form"])]
    if not forms:
        return None
    last = forms[-1]
    return FoundForm(start=last.start(), end=last.end(), text=last["form"])


def remove_form(text: str) -> str:
    """The text without the form in it."""
    found = find_form(text)
    return text if found is None else f"{text[: found.start]}{text[found.end :]}"


def fill_form(form: FoundForm, filling: Filling) -> str:
    """The form with a value in each blank; list items for which there is no value left are taken out."""
    name = ""
    counts: Counter[tuple[str, str]] = Counter()
    lines: list[str] = []
    for line in dedent(form.text).splitlines():
        own = _HEADING.match(line) or _LABEL.match(line)
        name = own["name"].strip() if own is not None else name
        filled = _fill_line(line, filling, name=name, counts=counts)
        is_spare = _ITEM.match(line) and filled != line and _repeats(filled, lines)
        if not is_spare and not _AND_SO_ON.fullmatch(line):
            lines.append(filled)
    return "\n".join(lines).strip() + "\n"


def parse_blank(words: str) -> Shape:
    """What may stand in a blank: a number, one of several words, or any text."""
    bounds = _RANGE.search(words)
    if bounds is not None and _NUMBER_WORDS.search(words):
        low, high = sorted((float(bounds[1]), float(bounds[2])))
        is_integer = (
            "whole" in words or "integer" in words or (high - low >= 2 and "." not in words)
        )
        return Number(is_integer=is_integer, low=low, high=high)
    options = _BETWEEN_OPTIONS.split(_ONE_OF.sub("", words.strip()).strip())
    if (
        _ONE_OF.match(words.strip())
        or "|" in words
        or words.strip().lower() in {"yes or no", "yes/no"}
    ):
        return Choice(options=tuple(option for option in options if option))
    return Text()


def _fill_line(line: str, filling: Filling, *, name: str, counts: Counter[tuple[str, str]]) -> str:
    """The line with its blanks filled; `counts` tells how often each blank was met under each name."""
    pieces: list[str] = []
    position = 0
    for blank in _BLANK.finditer(line):
        words = blank[1]
        about = About(name=name or words, description=words)
        value = filling.fill(parse_blank(words), about, counts[name, words])
        counts[name, words] += 1
        pieces += [line[position : blank.start()], " ".join(str(value).split())]
        position = blank.end()
    return "".join([*pieces, line[position:]])


def _repeats(filled: str, lines: list[str]) -> bool:
    """Whether an item only says again, with a number behind it, what another one says."""
    return any(_ITEM.match(line) and filled.startswith(line) for line in lines)
