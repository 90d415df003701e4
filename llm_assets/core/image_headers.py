"""Which kind of picture some bytes are, and how large it is, by its first bytes alone."""

import zlib
from dataclasses import dataclass

from llm_assets.core.images import ImageProblem, MediaType

HEAD_BYTES = 1 << 20
"""So much of a file is looked at. A JPEG may carry a thumbnail and a colour profile before it tells its size."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_GIF = (b"GIF87a", b"GIF89a")
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Of JPEG, before the size of the picture; the three left out begin tables."""
_LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
"""Without a length behind them."""
_DATA_MARKERS = frozenset({0xD9, 0xDA})
"""The end, or the picture itself, which no size may come after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a picture says of itself."""

    media_type: MediaType
    width: int | None
    """In pixels; None where it is said further back."""
    height: int | None


Size = tuple[int, int]


def read_image_header(head: bytes) -> ImageHeader | ImageProblem:
    """The kind and the size of the picture that begins with these bytes: all of it, or the first `HEAD_BYTES`.

    The name of a file says nothing about it. Only headers are read: a picture that is damaged further back is the
    provider's to refuse.
    """
    if head.startswith(_PNG):
        return _build("image/png", _read_png(head))
    if head.startswith(_JPEG):
        is_cut = len(head) >= HEAD_BYTES
        return _build("image/jpeg", _read_jpeg(head), may_lack_size=is_cut)
    if head.startswith(_GIF):
        return _build("image/gif", _read_gif(head))
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _build("image/webp", _read_webp(head))
    return ImageProblem("is no PNG, JPEG, GIF or WebP picture, whatever its name says")


def _build(
    media_type: MediaType, size: Size | None, *, may_lack_size: bool = False
) -> ImageHeader | ImageProblem:
    if size is not None and min(size) > 0:
        return ImageHeader(media_type=media_type, width=size[0], height=size[1])
    if size is None and may_lack_size:
        return ImageHeader(media_type=media_type, width=None, height=None)
    kind = media_type.removeprefix("image/").upper()
    return ImageProblem(f"begins like a {kind} file, but its header is broken")


def _read_png(head: bytes) -> Size | None:
    chunk = head[12:29]
    is_whole = head[8:16] == b"\x00\x00\x00\x0dIHDR" and len(head) >= 33
    if not is_whole or zlib.crc32(chunk) != int.from_bytes(head[29:33], "big"):
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _read_gif(head: bytes) -> Size | None:
    if len(head) < 13:
        return None
    return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")


def _read_jpeg(head: bytes) -> Size | None:
    """Go from segment to segment until one tells the size."""
    place = 2
    while place + 4 <= len(head):
        marker = head[place + 1]
        if head[place] != 0xFF or marker in _DATA_MARKERS:
            return 0, 0
        if marker == 0xFF:  # fill
            place += 1
        elif marker in _LONE_MARKERS:
            place += 2
        elif marker in _FRAME_MARKERS:
            size = head[place + 5 : place + 9]
            is_whole = len(size) == 4
            return (
                (int.from_bytes(size[2:], "big"), int.from_bytes(size[:2], "big"))
                if is_whole
                else None
            )
        else:
            place += 2 + max(2, int.from_bytes(head[place + 2 : place + 4], "big"))
    return None


def _read_webp(head: bytes) -> Size | None:
    if len(head) < 30:
        return None
    kind = head[12:16]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(head[24:27], "little"),
            1 + int.from_bytes(head[27:30], "little"),
        )
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = head[26:28], head[28:30]
        return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
    return None
