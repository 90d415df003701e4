import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.tokens import count_tokens_approximately


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" \n\t ", 0),
        ("hello world", 2),
        ("abcdefg", 1),
        ("abcdefgh", 2),
        ("12", 1),
        ("1234567", 3),
        ("abc123", 2),
        (".", 1),
        ("Hi, you!", 4),
        ("漢字仮名", 3),
        ("привет", 3),
        ("a\u00a0b", 2),
        ("€", 1),
    ],
)
def test_each_kind_of_character_has_its_weight(text: str, tokens: int):
    """Words, digits, punctuation and other scripts count by their own weights, rounded up once."""
    assert count_tokens_approximately(text) == tokens


def test_a_sentence_is_rounded_up_once():
    """Fourteen words, two of them long, a number of four digits and two marks: 16 + 2 + 1.4."""
    text = "The refund for order 4711 has not arrived, although support promised it two weeks ago."
    assert count_tokens_approximately(text) == 20


@given(st.text(), st.text())
def test_a_longer_text_never_has_fewer_tokens(start: str, end: str):
    """Cutting a text by its tokens can therefore search for the place."""
    assert count_tokens_approximately(start) <= count_tokens_approximately(start + end)
