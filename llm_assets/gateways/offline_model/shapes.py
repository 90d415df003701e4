"""What a JSON schema allows, as a tree that can be filled in."""

from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a value is called and said to be."""

    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string; lengths count characters."""

    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number between bounds that may be open."""

    is_integer: bool
    low: float | None = None
    high: float | None = None
    is_low_open: bool = False
    is_high_open: bool = False
    step: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of fixed values, a single one included."""

    options: tuple[JsonValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """An array; its first values may have shapes of their own."""

    first: tuple["Shape", ...]
    rest: "Shape | None"
    min_items: int
    max_items: int | None
    is_unique: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One property of an object."""

    name: str
    shape: "Shape"
    about: About


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object with named members, and perhaps further ones."""

    members: tuple[Member, ...]
    required: frozenset[str]
    key: "Shape | None"
    """The shape of the names of further members."""
    extra: "Shape | None"
    """The shape of further members; None where they are forbidden, or nothing is known of them."""
    min_members: int
    max_members: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One of several shapes; null, where it is one of them, comes last."""

    options: tuple["Shape", ...]


Shape = Text | Number | Choice | Truth | Sequence | Record | AnyOf
