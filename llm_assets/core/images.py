"""Which pictures an item has, and what of them is part of a call.

A picture is known by the hash of its bytes: where it lies and what it is called shapes no answer. The bytes
themselves are never held here; they are read when a call is sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from llm_assets.config.images import ImageDetail, ImageSettings
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import Sha256
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.short_text import shorten
from llm_assets.core.values import FROZEN_RECORD, Scalar

MediaType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
MAX_SHOWN_CHARS = 200
"""Of what a cell says, in a message: it may hold a whole picture where a path should be."""


def _is_none(value: object) -> bool:
    return value is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """A picture that was read once."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    sha256: Sha256
    """Of its bytes."""
    media_type: MediaType
    """By its bytes, whatever its name says."""
    n_bytes: int
    width: int | None
    """In pixels, like `height`; None where its header does not say early enough."""
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """What a cell names: a file, an address, or something that is no picture."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    column: str
    source: str
    """The path or address as the cell has it."""
    file: Annotated[ImageFile | None, Field(exclude_if=_is_none)] = None
    """None for an address, and where there is a problem."""
    problem: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """Why it cannot be sent, to be read after `The picture 'x'`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """A picture as a part of a message."""

    source: str
    """Where its bytes are read from, or the address that is sent; a file's path is no part of the call."""
    file: ImageFile | None
    """None for an address."""
    detail: ImageDetail | None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None where nobody knows."""
        file = self.file
        if file is None or file.width is None or file.height is None:
            return None
        return file.width, file.height

    def build_identity(self) -> list[str | None]:
        """What of it shapes an answer: its bytes, or the address under which nobody knows what lies."""
        if self.file is not None:
            return ["sha256", self.file.sha256, self.detail]
        return ["url", self.source, self.detail]


@dataclass(frozen=True, slots=True)
class ImageProblem:
    """Why a picture cannot be sent."""

    text: str
    """To be read after `The picture 'x'`."""


Found = ImageFile | ImageProblem | None
"""What lies where a cell points; None for an address, at which nobody looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFindings:
    """What the cells of a table point to."""

    settings: ImageSettings
    found: Mapping[str, Found]
    """By what the cells say."""

    @property
    def sha256(self) -> Sha256:
        """Of all of them together: it changes when a file does, though the table stays as it is."""
        return fingerprint_findings(self.found)

    def find_images(self, values: Mapping[str, Scalar]) -> tuple[ImageInput, ...]:
        """The pictures of a row, in the order in which they are sent."""
        return tuple(
            _build_input(column, source, self.found[source])
            for column, source in _list_sources(values, self.settings)
        )


def fingerprint_findings(found: Mapping[str, Found]) -> Sha256:
    """The hash of what lies where cells point."""
    return fingerprint(
        {
            source: file.sha256 if isinstance(file, ImageFile) else file and file.text
            for source, file in found.items()
        }
    )


def list_image_sources(
    rows: Sequence[Mapping[str, Scalar]], settings: ImageSettings
) -> tuple[str, ...]:
    """What the cells of a table point to, each once."""
    sources = (source for values in rows for _, source in _list_sources(values, settings))
    return tuple(dict.fromkeys(sources))


def build_content(images: Sequence[ImageInput]) -> list[list[str]]:
    """What of an item's pictures makes it another item: their bytes, and not where they lie."""
    return [
        ["sha256", image.file.sha256] if image.file is not None else ["source", image.source]
        for image in images
    ]


def build_parts(images: Sequence[ImageInput], detail: ImageDetail | None) -> tuple[ImagePart, ...]:
    """The parts of a message that show these pictures, none of which has a problem."""
    return tuple(ImagePart(source=image.source, file=image.file, detail=detail) for image in images)


def find_image_problem(images: Sequence[ImageInput], settings: ImageSettings) -> str | None:
    """Why an item with these pictures cannot be asked about; None where it can."""
    if not images and settings.required:
        columns = ", ".join(settings.columns)
        return f"It names no picture ({columns}), and `images.required` asks for one."
    reasons = [
        render_image_problem(image.source, image.problem) for image in images if image.problem
    ]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}" if reasons else None


def render_image(part: ImagePart) -> str:
    """A picture in a line for people, such as `p.png (image/png, 620 x 877, 5,210 bytes, sha256 1f0c…)`."""
    if part.file is None:
        return f"{part.source} (an address)"
    size = [] if part.size is None else [f"{part.size[0]} x {part.size[1]}"]
    facts = [
        part.file.media_type,
        *size,
        f"{part.file.n_bytes:,} bytes",
        f"sha256 {part.file.sha256}",
    ]
    return f"{part.source} ({', '.join(facts)})"


def render_image_problem(source: str, problem: str) -> str:
    """The sentence in which an item is told of it."""
    return f"The picture {shorten(source, max_chars=MAX_SHOWN_CHARS)!r} {problem}."


def _list_sources(
    values: Mapping[str, Scalar], settings: ImageSettings
) -> Iterator[tuple[str, str]]:
    """Each column with what its cell points to; blanks around it do not count."""
    for column in settings.columns:
        cell = render_cell(values[column])
        pieces = cell.split(settings.separator) if settings.separator else [cell]
        yield from ((column, piece.strip()) for piece in pieces if piece.strip())


def _build_input(column: str, source: str, found: Found) -> ImageInput:
    match found:
        case ImageFile():
            return ImageInput(column=column, source=source, file=found)
        case ImageProblem(text=text):
            return ImageInput(column=column, source=source, problem=text)
        case None:
            return ImageInput(column=column, source=source)
