"""What a person could mend in a prompt that works: words in the wrong order, and names that are never filled."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from llm_assets.core.prompt_order import Level, Piece

CONSIDERABLE_CHARS = 1000
"""About 250 tokens; it is hardly worth a rearrangement to have fewer of them read from a cache."""

_SINGLE_BRACES = re.compile(r"(?<!\{)\{([^{}\n]+)\}(?!\})")


def list_prompt_warnings(
    pieces: Sequence[Piece],
    *,
    path: str,
    names: AbstractSet[str],
    is_jinja: bool,
    has_images: bool = False,
) -> tuple[str, ...]:
    """Sentences for a person; `names` are those that the prompt could use."""
    unfilled = _find_unfilled(pieces, names) if is_jinja else ()
    found = [*_find_late_groups(pieces), *_find_late_words(pieces)]
    if not has_images and all(piece.level == Level.STATIC for piece in pieces):
        found.append("names nothing of an item: all items are asked with the same words.")
    found += [
        f"holds `{{{name}}}`, which is sent as it stands: write `{{{{ {name} }}}}`, or `syntax: braces` for the file."
        for name in unfilled
    ]
    return tuple(f"Prompt {path!r} {text}" for text in found)


def _find_late_groups(pieces: Sequence[Piece]) -> Iterator[str]:
    """A group's text behind a row's values is long, and different in every prompt from its start."""
    first = next((piece for piece in pieces if piece.level == Level.ROW), None)
    if first is None:
        return
    later = pieces[pieces.index(first) :]
    if any("group_context" in piece.names and piece.level == Level.GROUP for piece in later):
        yield (
            f"shows `group_context` after `{min(first.names)}`, so that no provider can read the group from its "
            "cache: put it before the row."
        )


def _find_late_words(pieces: Sequence[Piece]) -> Iterator[str]:
    first = next((piece for piece in pieces if piece.level > Level.STATIC), None)
    if first is None:
        return
    later = pieces[pieces.index(first) :]
    n_chars = sum(len(piece.text) for piece in later if piece.level == Level.STATIC)
    if n_chars > CONSIDERABLE_CHARS:
        yield (
            f"has {n_chars:,} characters that never change after `{min(first.names)}`, where no provider can read "
            "them from its cache: put them before it."
        )


def _find_unfilled(pieces: Sequence[Piece], names: AbstractSet[str]) -> Sequence[str]:
    found = [match[1] for piece in pieces for match in _SINGLE_BRACES.finditer(piece.text)]
    return [name for name in dict.fromkeys(found) if name in names]
