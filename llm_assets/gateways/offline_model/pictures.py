"""What the offline model sees in a picture.

It has no eyes. A PNG may carry texts beside its pixels, and the one called `Description` is what this model takes for
the sight of the picture; where there is none, it sees nothing. So an example can be rehearsed with pictures whose
content is known, because the project drew them.
"""

from base64 import b64decode
from dataclasses import dataclass

from llm_assets.core.image_headers import HEAD_BYTES, read_image_header
from llm_assets.core.images import ImageProblem

_KEYWORD = b"Description\x00"
_PNG_START = 8
"""Where the first chunk begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as far as this model can see it."""

    size: tuple[int, int] | None
    """Width and height in pixels; None where nobody looked."""
    description: str
    """Empty where it has none."""


UNSEEN = Picture(size=None, description="")


def read_picture(url: str) -> Picture | ImageProblem:
    """The picture in a `data:` address; one at any other address is not fetched, and so not seen."""
    if not url.startswith("data:"):
        return UNSEEN
    kind, _, text = url.removeprefix("data:").partition(";base64,")
    try:
        content = b64decode(text, validate=True)
    except ValueError:
        return ImageProblem("is not in base64")
    header = read_image_header(content[:HEAD_BYTES])
    if isinstance(header, ImageProblem):
        return header
    if header.media_type != kind:
        return ImageProblem(f"is {header.media_type} and is called {kind!r}")
    size = None if header.width is None or header.height is None else (header.width, header.height)
    is_png = header.media_type == "image/png"
    return Picture(size=size, description=_read_description(content) if is_png else "")


def _read_description(content: bytes) -> str:
    place = _PNG_START
    while place + 8 <= len(content):
        n_bytes = int.from_bytes(content[place : place + 4], "big")
        body = content[place + 8 : place + 8 + n_bytes]
        if content[place + 4 : place + 8] == b"tEXt" and body.startswith(_KEYWORD):
            return body.removeprefix(_KEYWORD).decode("latin-1")
        place += 12 + n_bytes
    return ""
