"""How text that others wrote is shown on a terminal or in a file without steering what shows it."""

import re

from llm_assets.core.short_text import shorten

_INVISIBLE = "\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Control characters, half characters, and the marks that turn the reading direction of what follows."""
_HARMFUL = re.compile(f"[\x00-\x08\x0b-\x1f{_INVISIBLE}]")


def show_text(text: str) -> str:
    """The text with its line breaks; what could move the cursor, colour or turn what follows becomes U+FFFD."""
    return _HARMFUL.sub("\ufffd", text.replace("\r\n", "\n"))


def show_line(text: str, *, max_chars: int | None = None) -> str:
    """The text on one line, with an ellipsis where it is cut."""
    line = show_text(" ".join(text.split()))
    return line if max_chars is None else shorten(line, max_chars=max_chars)
