import json
import zlib
from base64 import b64decode
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from llm_assets.core.packing import (
    ENTRIES_PER_PAGE,
    TEXT_CAPS,
    cut_text,
    cut_texts,
    pack_entries,
    pack_json,
)

TEXTS = st.text(alphabet=st.characters(codec=None))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def unpack(packed: str):
    return json.loads(zlib.decompress(b64decode(packed)))


@given(VALUES)
def test_what_is_packed_comes_back(value):
    """Half characters, line separators and end tags included; nothing of it can be read as HTML."""
    packed = pack_json(value)
    assert unpack(packed) == value
    assert set(packed) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def test_entries_are_packed_by_the_hundred():
    """A page can unpack one of them without the others; their order stays."""
    entries: list[JsonValue] = [
        {"at": at, "text": "x" * at} for at in range(2 * ENTRIES_PER_PAGE + 1)
    ]
    packed = pack_entries(lambda: iter(entries), ["shared"], max_bytes=10**6)
    pages = [unpack(page) for page in packed.pages]
    assert [len(page) for page in pages] == [ENTRIES_PER_PAGE, ENTRIES_PER_PAGE, 1]
    assert [entry for page in pages for entry in page] == entries
    assert unpack(packed.shared) == ["shared"]
    assert packed.cap == TEXT_CAPS[0]


def test_texts_are_cut_as_little_as_the_room_allows():
    """What does not fit is cut with a visible mark, the same everywhere, and short texts stay whole."""
    random = Random(1)  # noqa: S311 -- text that does not compress
    noise = ["".join(random.choices("abcdefghijklmnop", k=4_000)) for _ in range(50)]
    entries: list[JsonValue] = [{"text": text, "name": "short"} for text in noise]
    packed = pack_entries(lambda: iter(entries), noise[:1], max_bytes=60_000)
    (page,) = (unpack(page) for page in packed.pages)
    assert packed.cap == 1_000
    assert sum(map(len, packed.pages)) + len(packed.shared) <= 60_000
    for entry, text in zip(page, noise, strict=True):
        assert entry == {"text": cut_text(text, 1_000), "name": "short"}
        assert entry["text"].endswith("[… 3,000 more characters are not in this page]")


def test_the_smallest_cap_packs_everything():
    """No item is left out, however little room there is."""
    entries: list[JsonValue] = [{"text": "y" * 500}] * 3
    packed = pack_entries(lambda: iter(entries), [], max_bytes=0)
    assert packed.cap == TEXT_CAPS[-1]
    assert [len(unpack(page)) for page in packed.pages] == [3]


@pytest.mark.parametrize("value", [None, True, 3, 0.5, "short", ["a", {"b": "c"}], {"a": None}])
def test_what_is_short_is_not_touched(value):
    """Cutting changes long texts and nothing else."""
    assert cut_texts(value, 5) == value
