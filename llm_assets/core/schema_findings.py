"""What is wrong in a proposed schema, and where, while it is read."""

import math
from dataclasses import dataclass, field
from itertools import product

from pydantic import JsonValue

from llm_assets.core.json_schema import JsonObject, SchemaProblem
from llm_assets.core.short_text import shorten

MAX_TEXT_CHARS = 2_000
MAX_NUMBER = 2**53
"""Larger whole numbers are not the same number to every JSON reader."""

NOTES = frozenset({"title", "description", "examples", "$comment", "$schema", "$id"})
"""Keywords that say something to a reader and nothing about the values."""

BOUNDS = {"minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt"}
"""The bounds of numbers as JSON Schema and as Pydantic call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the schema the reader stands."""

    path: str
    name: str
    """What a class for this place is called after."""
    depth: int
    refs: tuple[str, ...]
    """The definitions that this place is part of."""

    def enter_field(self, name: str) -> "Place":
        """The place of a field of the object here."""
        path = f"{self.path}.{name[:60]}"
        return Place(path=path, name=name, depth=self.depth + 1, refs=self.refs)

    def enter_items(self) -> "Place":
        """The place of the items of the list here."""
        name = f"{self.name} item"
        return Place(path=f"{self.path}[]", name=name, depth=self.depth + 1, refs=self.refs)

    def enter_definition(self, name: str) -> "Place":
        """The same place, read in a definition that is referred to here."""
        return Place(path=self.path, name=name, depth=self.depth, refs=(*self.refs, name))


@dataclass(slots=True)
class Findings:
    """The problems so far. What is read by its methods is safe to use; what is not is reported and left out."""

    problems: list[SchemaProblem] = field(default_factory=list[SchemaProblem])

    def report(self, place: Place, sentence: str) -> None:
        """Note a problem."""
        self.problems.append(SchemaProblem(path=place.path, sentence=sentence))

    def check_keywords(self, node: JsonObject, known: frozenset[str], place: Place) -> None:
        """Report every keyword that is neither known here nor a mere note."""
        for keyword, value in node.items():
            is_null_default = keyword == "default" and value is None
            if keyword not in known | NOTES and not is_null_default:
                self.report(
                    place,
                    f"{quote(keyword)} cannot be used here; say it in the description instead",
                )

    def check_text(self, text: str, what: str, place: Place) -> None:
        """Report a text that is too long or that no file can hold."""
        if len(text) > MAX_TEXT_CHARS:
            self.report(place, f"{what} is longer than {MAX_TEXT_CHARS} characters")
        if any("\ud800" <= char <= "\udfff" for char in text):
            self.report(place, f"{what} holds half of a character")

    def read_description(self, node: JsonObject, place: Place) -> str:
        """The node's description, or nothing."""
        description = node.get("description", "")
        if not isinstance(description, str):
            self.report(place, "`description` is not a text")
            return ""
        self.check_text(description, "the description", place)
        return description.strip()

    def read_lengths(
        self, node: JsonObject, keywords: tuple[str, str], place: Place
    ) -> tuple[int | None, int | None]:
        """The least and the most of something, by these keywords."""
        least, most = (self._read_length(node, keyword, place) for keyword in keywords)
        if least is not None and most is not None and least > most:
            self.report(place, f"`{keywords[0]}` is larger than `{keywords[1]}`")
        return least, most

    def read_bounds(
        self, node: JsonObject, place: Place, *, is_whole: bool
    ) -> tuple[tuple[str, float], ...]:
        """The bounds of a number by their names in Pydantic."""
        bounds: dict[str, float] = {}
        for keyword, name in BOUNDS.items():
            value = _parse_bound(node.get(keyword), is_whole=is_whole)
            if value is not None:
                bounds[name] = value
            elif keyword in node:
                self.report(
                    place, f"`{keyword}` is not a {'whole number' if is_whole else 'number'}"
                )
        if not _leave_room(bounds):
            self.report(place, "its bounds leave no number")
        return tuple(bounds.items())

    def _read_length(self, node: JsonObject, keyword: str, place: Place) -> int | None:
        value = _parse_bound(node.get(keyword), is_whole=True)
        if value is not None and value >= 0:
            return int(value)
        if keyword in node:
            self.report(place, f"`{keyword}` is not a count")
        return None


def quote(value: JsonValue) -> str:
    """A value as a sentence can show it."""
    if isinstance(value, list):
        return ", ".join(quote(item) for item in value[:3]) or "nothing"
    text = "an object" if isinstance(value, dict) else repr(value)
    return shorten(text, max_chars=80)


def _leave_room(bounds: dict[str, float]) -> bool:
    for low, high in product(("ge", "gt"), ("le", "lt")):
        least, most = bounds.get(low, -math.inf), bounds.get(high, math.inf)
        if least > most or (least == most and (low, high) != ("ge", "le")):
            return False
    return True


def _parse_bound(value: JsonValue, *, is_whole: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        return None
    if not is_whole:
        return value
    return int(value) if value == int(value) else None
