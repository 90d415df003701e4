import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.fingerprint import (
    ID_DIGITS,
    build_id,
    fingerprint,
    fingerprint_text,
    render_json,
)

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates are tested apart.
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_canonical_spelling():
    """One line, sorted keys, no blanks, UTF-8 as it is."""
    assert render_json({"b": [1, 2.5, None], "a": "Grüße\n"}) == '{"a":"Grüße\\n","b":[1,2.5,null]}'


def test_fingerprint_is_the_sha256_of_the_spelling():
    """The hash can be recomputed by any tool from the JSON text."""
    assert fingerprint({"a": "ü"}) == hashlib.sha256('{"a":"ü"}'.encode()).hexdigest()
    assert fingerprint_text("ü") == hashlib.sha256("ü".encode()).hexdigest()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_refused(number):
    """NaN and infinity are an error, never a word that no reader of JSON knows."""
    with pytest.raises(ValueError, match="JSON"):
        render_json([number])


def test_lone_surrogate_has_a_fingerprint():
    """A text that UTF-8 cannot spell still has a name, and one of its own."""
    assert fingerprint_text("\ud800") != fingerprint_text("?")
    assert fingerprint(["\ud800"]) != fingerprint(["\ud801"])


@given(PLAIN)
def test_spelling_keeps_the_value(value):
    """The canonical text reads back as the same data."""
    text = render_json(value)
    assert json.loads(text) == value
    assert "\n" not in text


@given(st.dictionaries(st.text(), st.integers(), max_size=5))
def test_order_of_keys_does_not_matter(mapping):
    """A mapping has one fingerprint, however it was put together."""
    assert fingerprint(dict(reversed(mapping.items()))) == fingerprint(mapping)


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_different_lists_differ(one, other):
    """Where one text ends and the next begins is part of the fingerprint, and so is their order."""
    assert (fingerprint(one) == fingerprint(other)) is (one == other)


@pytest.mark.parametrize(("one", "other"), [(1, "1"), (1, 1.0), (True, 1), (None, ""), ([], {})])
def test_types_are_told_apart(one, other):
    """Values that Python calls equal, or that read alike, have fingerprints of their own."""
    assert fingerprint(one) != fingerprint(other)


def test_id_is_the_beginning_of_the_fingerprint():
    """Ids are short enough to read and as stable as the hash."""
    assert build_id(["a"]) == fingerprint(["a"])[:ID_DIGITS]
