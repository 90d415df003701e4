"""Pictures of a few bytes, as real as their headers."""

import zlib
from pathlib import Path

from llm_assets.core.ids import Sha256
from llm_assets.core.images import ImageFile


def build_png(width: int = 4, height: int = 3, *, description: str = "", shade: int = 255) -> bytes:
    """A grey picture in one shade; the description is written into it."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    text = b"Description\x00" + description.encode("latin-1")
    rows = (b"\x00" + bytes([shade]) * width) * height
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    if description:
        chunks.insert(1, (b"tEXt", text))
    return b"\x89PNG\r\n\x1a\n" + b"".join(build_chunk(kind, content) for kind, content in chunks)


def build_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


def build_jpeg(width: int = 4, height: int = 3, *, before: bytes = b"") -> bytes:
    """The segments of a JPEG up to the size of the picture; `before` stands in a segment of its own."""
    comment = b"\xff\xfe" + (len(before) + 2).to_bytes(2, "big") + before if before else b""
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    frame = b"\xff\xc2\x00\x0b\x08" + size + b"\x01\x11\x00\x00"
    return (
        b"\xff\xd8\xff\xe0\x00\x04ab" + comment + b"\xff\xff" + frame + b"\xff\xda\x00\x02\xff\xd9"
    )


def build_gif(width: int = 4, height: int = 3) -> bytes:
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b"GIF89a" + size + b"\x00\x00\x00\x3b"


def build_webp(kind: bytes = b"VP8X", width: int = 4, height: int = 3) -> bytes:
    if kind == b"VP8X":
        body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        body = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + bytes(5)
    else:
        size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        body = bytes(3) + b"\x9d\x01\x2a" + size
    chunk = kind + len(body).to_bytes(4, "little") + body
    return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk


def build_file(digit: str = "a", **changes: object) -> ImageFile:
    """What was found in a file; the digit makes another one of it."""
    given: dict[str, object] = {
        "sha256": Sha256(digit * 64),
        "media_type": "image/png",
        "n_bytes": 80,
        "width": 4,
        "height": 3,
        **changes,
    }
    return ImageFile(**given)  # pyright: ignore[reportArgumentType] -- a test says which ones it changes


def write_picture(path: Path, content: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build_png() if content is None else content)
    return path
