"""How a file takes its place only when it is complete."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from llm_assets.errors import StorageError


@contextmanager
def open_whole(path: Path) -> Generator[BinaryIO]:
    """A file to be written, which replaces the one before at the end; a failure leaves that one.

    `StorageError` where it cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as stream:
                yield stream
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as exc:
        raise StorageError(
            f"{path} could not be written: {exc.strerror or exc}. A file that was there is unchanged.",
            remedy="Check the folder's permissions and the free space.",
        ) from exc


@contextmanager
def open_whole_text(path: Path) -> Generator[TextIO]:
    """Such a file for text, as UTF-8 and with line ends as they are written."""
    with open_whole(path) as stream, TextIOWrapper(stream, encoding="utf-8", newline="") as text:
        yield text


def write_whole_text(path: Path, text: str) -> None:
    """Write such a file at once."""
    with open_whole_text(path) as stream:
        stream.write(text)
