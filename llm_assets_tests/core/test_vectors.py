import math
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.vectors import is_vector, parse_vector, render_vector

numbers = st.floats(width=32, min_value=-(2.0**100), max_value=2.0**100)


@given(st.lists(numbers, min_size=1, max_size=20).filter(any))
def test_a_vector_comes_back_as_it_was(values):
    """Numbers of 32 bits survive their text to the last bit."""
    assert parse_vector(render_vector(values)) == tuple(values)


def test_the_text_is_that_of_little_endian_floats():
    """It is what OpenAI's endpoint sends, so its text is kept as it came."""
    assert render_vector([1.0, -2.0]) == b64encode(bytes.fromhex("0000803f000000c0")).decode()


@pytest.mark.parametrize(
    "text",
    ["", "no base64!", "AAA=", "AAAA", render_vector([0.0, 0.0]), render_vector([1.0, math.nan])],
)
def test_what_is_no_vector_is_none(text):
    """Half numbers, no numbers, none that is finite, and a vector without a direction."""
    assert parse_vector(text) is None


def test_numbers_that_fit_no_32_bits_are_no_vector():
    """They would become infinite."""
    assert not is_vector([1e300])
    assert not is_vector([math.inf, 1.0])
