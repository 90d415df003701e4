"""How much text fits into a page that stays light, and in which form it travels.

Entries are packed by the hundred: JSON, compressed, in base64. The input of an item stands in its prompt, in its
judge's prompt and often in its answer, so compression takes most of it away, and a page is unpacked only when one
of its items is opened or texts are searched.
"""

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from pydantic import JsonValue

ENTRIES_PER_PAGE = 100
COMPRESSION_LEVEL = 6
TEXT_CAPS = (20_000, 5_000, 2_000, 1_000, 500, 200)
"""The longest text that is kept whole, in characters: the first of these with which everything fits."""

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedEntries:
    """Entries ready to be put into a page."""

    pages: tuple[str, ...]
    """Base64 of the compressed JSON of a list; nothing in it means anything in HTML."""
    shared: str
    """The same of the texts that entries share."""
    cap: int
    """Longer texts were cut to so many characters, each with a mark."""


def pack_entries(
    build_entries: Callable[[], Iterable[JsonValue]], shared: list[str], *, max_bytes: int
) -> PackedEntries:
    """Pack everything, with texts cut as little as `max_bytes` allow.

    With the smallest cap everything is packed, whatever it takes: what is shown of an item is then a few lines.
    """
    for cap in TEXT_CAPS:
        packed = _pack(build_entries(), shared, cap=cap, max_bytes=max_bytes)
        if packed is not None:
            return packed
    raise AssertionError("unreachable: the smallest cap has no limit")


def _pack(
    entries: Iterable[JsonValue], shared: list[str], *, cap: int, max_bytes: int
) -> PackedEntries | None:
    """None as soon as it is too much, unless texts cannot be cut any shorter."""
    first = pack_json([cut_text(text, cap) for text in shared])
    pages: list[str] = []
    n_bytes = len(first)
    remaining = iter(entries)
    while page := list(islice(remaining, ENTRIES_PER_PAGE)):
        pages.append(_compress(f"[{','.join(_render_entry(entry, cap) for entry in page)}]"))
        n_bytes += len(pages[-1])
        if n_bytes > max_bytes and cap != TEXT_CAPS[-1]:
            return None
    return PackedEntries(pages=tuple(pages), shared=first, cap=cap)


def _render_entry(entry: JsonValue, cap: int) -> str:
    """An entry's JSON with its texts cut; most entries are shorter than any text may be, and need no look inside."""
    text = _render(entry)
    return text if len(text) <= cap else _render(cut_texts(entry, cap))


def cut_texts(value: JsonValue, cap: int) -> JsonValue:
    """The same value with every longer text in it cut, keys excepted."""
    if isinstance(value, str):
        return cut_text(value, cap)
    if isinstance(value, list):
        return [cut_texts(each, cap) for each in value]
    if isinstance(value, dict):
        return {name: cut_texts(each, cap) for name, each in value.items()}
    return value


def cut_text(text: str, cap: int) -> str:
    """The text, or its beginning with a mark that says how much is missing."""
    n_more = len(text) - cap
    return (
        text if n_more <= 0 else f"{text[:cap]} [… {n_more:,} more characters are not in this page]"
    )


def pack_json(value: JsonValue) -> str:
    """The value as compressed JSON in base64."""
    return _compress(_render(value))


def _render(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _compress(text: str) -> str:
    try:
        content = text.encode()
    except UnicodeEncodeError:  # half characters, which JSON can spell and UTF-8 cannot
        content = _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
    return b64encode(zlib.compress(content, COMPRESSION_LEVEL)).decode("ascii")
