"""How a text that is too long for its place is cut."""


def shorten(text: str, *, max_chars: int) -> str:
    """The text, or as much of its beginning as fits in `max_chars` with an ellipsis at its end."""
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"


def shorten_line(text: str, *, max_chars: int) -> str:
    """The same of the text on one line, every stretch of white space in it being one space."""
    return shorten(" ".join(text.split(maxsplit=max_chars)), max_chars=max_chars)
