"""How values become bytes and names that depend on their content alone.

One spelling of JSON serves everything that is hashed or kept: sorted keys, UTF-8 as it is, no NaN. The
standard library writes it, because libraries differ in how they spell numbers.
"""

import hashlib
import json

from llm_assets.core.ids import Sha256

ID_DIGITS = 20
"""80 bits: a clash among ten million rows has a chance of one in ten billion."""

_encode = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode


def render_json(value: object) -> str:
    """The canonical JSON text of plain data, on one line; `ValueError` for NaN and infinity."""
    return _encode(value)


def fingerprint_text(text: str) -> Sha256:
    """The SHA-256 of a text's UTF-8 bytes."""
    return Sha256(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def fingerprint(value: object) -> Sha256:
    """The SHA-256 of plain data in its canonical spelling."""
    return fingerprint_text(_encode(value))


def build_id(value: object) -> str:
    """A short content hash for rows, items and contexts; money hangs on the full `fingerprint` only."""
    return fingerprint(value)[:ID_DIGITS]
