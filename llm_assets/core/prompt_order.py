"""Where does a prompt go from what never changes to what a group has, and to what only one item has?

Providers keep the beginning of a prompt and charge less for it when the next one begins with the same words. What
stands behind the first value of an item's own is never found there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from llm_assets.core.prompt_texts import Segment


class Level(IntEnum):
    """For how many items a piece of a prompt is the same."""

    STATIC = 0
    GROUP = 1
    ROW = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a prompt, with what never changes filled in."""

    text: str
    names: frozenset[str]
    """Those whose values vary."""
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPrefix:
    """What prompts have in common up to the first value of a row."""

    text: str
    """What all of them begin with."""
    group_text: str
    """What stands after that and around the group's values."""
    has_group_context: bool
    """Whether the text of the group stands before the first value of a row."""


def build_pieces(
    segments: Sequence[Segment], *, static: Mapping[str, str], group_names: frozenset[str]
) -> tuple[Piece, ...]:
    """The pieces of a prompt in the order in which they are sent; `static` are the values that never change."""
    return tuple(_build_piece(segment, static, group_names) for segment in segments)


def _build_piece(segment: Segment, static: Mapping[str, str], group_names: frozenset[str]) -> Piece:
    varying = segment.names - static.keys()
    level = Level.ROW if varying - group_names else Level.GROUP if varying else Level.STATIC
    filled = [static[name] for name in sorted(segment.names & static.keys())]
    return Piece(text="".join([segment.text, *filled]), names=varying, level=level)


def find_shared_prefix(pieces: Sequence[Piece]) -> SharedPrefix:
    """What the prompts of a task, and those of one of its groups, begin with."""
    n_static = _count_up_to(pieces, Level.STATIC)
    of_group = pieces[n_static : _count_up_to(pieces, Level.GROUP)]
    return SharedPrefix(
        text="".join(piece.text for piece in pieces[:n_static]),
        group_text="".join(piece.text for piece in of_group),
        has_group_context=any("group_context" in piece.names for piece in of_group),
    )


def _count_up_to(pieces: Sequence[Piece], highest: Level) -> int:
    places = (place for place, piece in enumerate(pieces) if piece.level > highest)
    return next(places, len(pieces))
