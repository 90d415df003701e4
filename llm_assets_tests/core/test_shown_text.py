import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.shown_text import show_line, show_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode, 漢字", "plain, ünïcode, 漢字"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("over\rwritten", "over\ufffdwritten"),
        ("windows\r\nlines", "windows\nlines"),
        ("\u202eturned", "\ufffdturned"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_what_could_steer_a_terminal_is_replaced(text, shown):
    """Escape sequences, carriage returns and marks that turn the reading direction do nothing."""
    assert show_text(text) == shown


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_line_is_one_line(text, max_chars):
    """Whatever a text holds, it takes one line, at most as long as asked, and can be printed."""
    line = show_line(text, max_chars=max_chars)
    assert len(line) <= max_chars
    assert line.splitlines() in ([], [line])
    assert "\t" not in line
    line.encode()
