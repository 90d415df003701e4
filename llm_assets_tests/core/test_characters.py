from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.characters import REPLACEMENT, replace_unstorable


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=20))
def test_every_text_can_be_kept(text):
    """What comes out can be spelled in UTF-8, holds no NUL, and differs only where it could not be kept."""
    kept = replace_unstorable(text)
    assert "\x00" not in kept
    kept.encode()
    assert all(
        new == old or (new == REPLACEMENT and (old == "\x00" or 0xD800 <= ord(old) <= 0xDFFF))
        for new, old in zip(kept, text, strict=True)
    )
