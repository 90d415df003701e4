import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.gateways.ledger.kept_text import ESCAPE, escape_text, restore_text


@given(st.text(alphabet=st.sampled_from(["\x00", ESCAPE, "0", "a"])) | st.text())
def test_every_text_comes_back(text: str):
    """Whatever a text holds, it is kept without NUL and read as it was."""
    kept = escape_text(text)
    assert "\x00" not in kept
    assert restore_text(kept) == text


@pytest.mark.parametrize("text", ["", "plain", "Größe \N{GRINNING FACE}", "0", "\\0"])
def test_nearly_every_text_is_kept_as_it_is(text: str):
    """Who looks into the tables reads what was sent."""
    assert escape_text(text) == text
