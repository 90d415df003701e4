"""What a file that is not UTF-8 could be in, said as a hint and never acted on.

Detection by statistics misreads the most common case, cp1252 ("crème" becomes "crčm"), so that encoding and
Mac Roman are always tried too, and every candidate is shown with how it reads the very place that was refused:
a person sees at once which one is right.
"""

_ALWAYS_TRIED = ("cp1252", "mac_roman")
_WINDOW_BYTES = 16_384  # detection takes some 0.1 s for this much
_BYTES_BEFORE = 12
_BYTES_AFTER = 8


def render_encoding_hint(content: bytes, *, offset: int, refused: str) -> str:
    """A sentence that names likely encodings, each with its reading of the bytes around the offset."""
    readings: dict[str, str] = {}
    for encoding in (*_find_likely(content, offset), *_ALWAYS_TRIED):
        reading = _read_spot(content, offset=offset, encoding=encoding)
        if reading is not None and encoding != refused:
            readings.setdefault(encoding, reading)
    if not readings:
        return "No common encoding fits it."
    shown = ", ".join(f"{encoding} (reads {reading!r})" for encoding, reading in readings.items())
    return f"It could be {shown}."


def _find_likely(content: bytes, offset: int) -> tuple[str, ...]:
    from charset_normalizer import from_bytes

    start = max(content.rfind(b"\n", 0, offset) + 1, offset - _WINDOW_BYTES // 2)
    best = from_bytes(content[start : start + _WINDOW_BYTES]).best()
    return () if best is None else (best.encoding,)


def _read_spot(content: bytes, *, offset: int, encoding: str) -> str | None:
    """How the encoding reads the bytes around the offset; None where it does not fit the whole file."""
    try:
        content.decode(encoding)
    except ValueError:
        return None
    start = max(content.rfind(b"\n", 0, offset) + 1, offset - _BYTES_BEFORE)
    spot = content[start : offset + _BYTES_AFTER]
    return " ".join(spot.decode(encoding, "replace").split())
