"""A text that is too long for its place ends with an ellipsis, and none is cut that fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.short_text import shorten, shorten_line


@pytest.mark.parametrize(
    ("text", "shown"), [("abcd", "abcd"), ("abcde", "abc…"), ("", ""), ("a\nb c", "a\nb…")]
)
def test_cut_at_its_end(text: str, shown: str) -> None:
    """The ellipsis is one of the characters that a place has room for."""
    assert shorten(text, max_chars=4) == shown


@given(text=st.text(alphabet="ab \n\t"), max_chars=st.integers(1, 12))
def test_on_one_line(text: str, max_chars: int) -> None:
    """A line is the whole text with single spaces, cut as any text."""
    whole = " ".join(text.split())
    assert shorten_line(text, max_chars=max_chars) == shorten(whole, max_chars=max_chars)
