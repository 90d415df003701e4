"""What a proposed schema can describe.

The subset is small on purpose: objects, texts, choices, numbers, booleans, lists, nested objects, and null beside
any of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """Free text; lengths in characters."""

    min_length: int | None
    max_length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceShape:
    """One of some texts."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberShape:
    """A number within bounds."""

    is_whole: bool
    bounds: tuple[tuple[str, float], ...]
    """Pydantic's names of them, such as `ge`, and their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanShape:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShape:
    """Any number of the same, within bounds."""

    item: "Shape"
    item_description: str
    min_length: int | None
    max_length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """One field of an object."""

    name: str
    """As it stands in the JSON; any text."""
    shape: "Shape"
    description: str
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectShape:
    """An object that has these fields and no others."""

    name: str
    """What it is called after; any text."""
    description: str
    fields: tuple[FieldShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NullableShape:
    """The same, or null."""

    shape: "Shape"


Shape = (
    TextShape | ChoiceShape | NumberShape | BooleanShape | ListShape | ObjectShape | NullableShape
)
