import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.message_parts import split_shared

TEXTS = st.text(alphabet="ab ", max_size=12)


@pytest.mark.parametrize(
    ("text", "shared", "pieces"),
    [
        ("Schema: {x}. Row 1", ("{x}",), ("Schema: ", "{x}", ". Row 1")),
        ("{x}{y}", ("{x}", "{y}"), ("{x}", "{y}")),
        ("a{y}b{x}c", ("{x}", "{y}"), ("a", "{y}", "b", "{x}", "c")),
        ("{x}", ("{x}",), ("{x}",)),
        ("nothing", ("{x}",), ("nothing",)),
        ("nothing", ("",), ("nothing",)),
        ("", ("{x}",), ("",)),
        ("{x} and {x}", ("{x}",), ("{x}", " and {x}")),
    ],
)
def test_message_is_cut_around_shared_texts(text, shared, pieces):
    """What other calls hold too becomes a piece of its own."""
    assert split_shared(text, shared) == pieces


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_joined_pieces_are_the_message(text, shared):
    """Whatever is shared, nothing of the message is lost, repeated or moved."""
    pieces = split_shared(text, tuple(shared))
    assert "".join(pieces) == text
    assert all(pieces) or pieces == ("",)


@given(TEXTS, TEXTS, TEXTS.filter(bool))
def test_shared_text_is_a_piece(before, after, shared):
    """A shared text stands alone in the pieces, so that it is stored once for all messages."""
    assert shared in split_shared(before + shared + after, (shared,))
