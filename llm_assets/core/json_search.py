"""Where the JSON of an answer is, among thinking, prose and code fences, and what it says if it is broken."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.characters import replace_unstorable

MAX_REPAIRED_DEPTH = 40
"""Repairing takes minutes for text nested a few thousand deep, and answers are never nested like that."""

# Some servers leave out the opening tag; thinking that never ends is no answer.
_THINKING = re.compile(r"\A(?!\s*[{\[`]).*?</think>|\A\s*<think>.*", re.DOTALL)
_FENCE = re.compile(r"```[ \t]*(\w*)[ \t]*\s(?=\s*\{)", re.ASCII)
_OPENING = re.compile(r"[{\[]")
_BRACKET = re.compile(r"[{\[\]}]")
_ESCAPE = re.compile(r"\\.", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundJson:
    """JSON text that stands for what was found."""

    text: str
    is_repaired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """A part of a text that begins and ends like JSON and cannot be read as such."""

    start: int
    text: str
    depth: int


def find_json(text: str) -> FoundJson | None:
    """The answer's JSON object: a fenced one first, the first one in prose, a repaired one as a last resort.

    None where there is no JSON. An answer whose brackets are not all closed counts as cut off, whatever the
    server says of it, and is not repaired: its missing end would look like a short answer.
    """
    bare = drop_thinking(text).strip()
    fences = _list_fences(bare)
    for start in (0, *fences):
        value = _read_json(bare, start)[0]
        if isinstance(value, dict):
            return _spell(value, is_repaired=False)
    parts = tuple(_iter_parts(bare))
    values = [part for part in parts if not isinstance(part, _Broken)]
    objects = [value for value in values if isinstance(value, dict)]
    if objects:
        return _spell(objects[0], is_repaired=False)
    broken = [part for part in parts if isinstance(part, _Broken)]
    repaired = _repair(_choose(broken, fences)) if broken else None
    return repaired or (_spell(values[0], is_repaired=False) if values else None)


def drop_thinking(text: str) -> str:
    """The text without the thinking that some models put before their answer."""
    return _THINKING.sub("", text.lstrip("\ufeff"), count=1)


def _list_fences(text: str) -> tuple[int, ...]:
    """Where an object begins right after a code fence, the fences that say JSON first."""
    fences = list(_FENCE.finditer(text))
    fences.sort(key=lambda fence: fence.group(1).lower() != "json")
    return tuple(text.index("{", fence.end()) for fence in fences)


def _iter_parts(text: str) -> Iterator[JsonValue | _Broken]:
    """What stands in brackets, side by side: JSON values, and what fails to be one."""
    position = 0
    while opening := _OPENING.search(text, position):
        value, end = _read_json(text, opening.start())
        if end is not None:
            yield value
            position = end
            continue
        broken = _read_broken(text, opening.start())
        if broken is None:
            return
        yield broken
        position = broken.start + len(broken.text)


def _read_json(text: str, start: int) -> tuple[JsonValue, int | None]:
    """The JSON value that begins at a place, and its end; raw control characters in strings are tolerated."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):  # deep nesting raises the latter
        return None, None


def _read_broken(text: str, start: int) -> _Broken | None:
    """The part from a bracket to the one that closes it; None where none does, or only one inside a text."""
    depth = deepest = 0
    for bracket in _BRACKET.finditer(text, start):
        depth += 1 if bracket.group() in "{[" else -1
        deepest = max(deepest, depth)
        if depth == 0:
            part = text[start : bracket.end()]
            is_inside_text = _ESCAPE.sub("", part).count('"') % 2 == 1
            return None if is_inside_text else _Broken(start=start, text=part, depth=deepest)
    return None


def _choose(broken: list[_Broken], fences: tuple[int, ...]) -> _Broken:
    """The part most likely meant as the answer: a fenced one, else the longest."""
    fenced = [part for part in broken if part.start in fences]
    return max(fenced or broken, key=lambda part: len(part.text))


def _repair(broken: _Broken) -> FoundJson | None:
    from json_repair import repair_json

    if broken.depth > MAX_REPAIRED_DEPTH:
        return None
    try:
        value: JsonValue = json.loads(repair_json(broken.text, ensure_ascii=True))
    except (ValueError, RecursionError):
        return None
    return _spell(value, is_repaired=True) if isinstance(value, dict | list) else None


def _spell(value: JsonValue, *, is_repaired: bool) -> FoundJson:
    text = json.dumps(value, ensure_ascii=False)
    return FoundJson(text=replace_unstorable(text), is_repaired=is_repaired)
