"""How a vector is kept as text: the base64 of its numbers as little-endian 32-bit floats."""

import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from math import isfinite

MAX_FLOAT32 = 3.4e38
BYTES_PER_NUMBER = 4


def is_vector(values: Sequence[float]) -> bool:
    """Whether there are numbers, all of them finite, and not all 0: such a vector has no direction."""
    # The bounds come first: JSON has whole numbers that are too large to be asked whether they are finite.
    return (
        any(values)
        and min(values) > -MAX_FLOAT32
        and max(values) < MAX_FLOAT32
        and all(map(isfinite, values))
    )


def render_vector(values: Sequence[float]) -> str:
    """The text of a vector."""
    return b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def parse_vector(text: str) -> tuple[float, ...] | None:
    """The vector of a text; None where it is the text of none."""
    try:
        packed = b64decode(text, validate=True)
    except ValueError:
        return None
    if len(packed) % BYTES_PER_NUMBER:
        return None
    values = struct.unpack(f"<{len(packed) // BYTES_PER_NUMBER}f", packed)
    return values if is_vector(values) else None
