"""Which pictures lie where cells point, and which of them may be sent.

A file is read twice: once to know it by its hash, when the items are made, and once when its call is sent. In between
only the hash is kept, so that a batch may have more pictures than fit into memory.
"""

import hashlib
import os
import re
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from llm_assets.config.images import ImageSettings
from llm_assets.core.ids import Sha256
from llm_assets.core.image_headers import HEAD_BYTES, read_image_header
from llm_assets.core.images import (
    Found,
    ImageFile,
    ImageFindings,
    ImagePart,
    ImageProblem,
    fingerprint_findings,
    list_image_sources,
)
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.errors import ConfigError
from llm_assets.gateways.tasks import Task

CHUNK_BYTES = 1 << 20
_ADDRESS = re.compile(r"data:|[a-z][a-z0-9+.-]*://", re.IGNORECASE)
OUTSIDE = ImageProblem("lies outside of the folders that `images.roots` names")
MISSING = ImageProblem("does not exist")
CHANGED = ImageProblem(
    "has changed after the items were made from it, and was not sent; make `work_items` anew"
)


def open_image_files(task: Task) -> "ImageFiles | None":
    """The files that a task may send; None where it sends none. `ConfigError` for a root that is no folder."""
    settings = task.settings.images
    if settings is None:
        return None
    roots = tuple(task.resolve(root) for root in settings.roots)
    for name, root in zip(settings.roots, roots, strict=True):
        if not root.is_dir():
            raise ConfigError(
                f"`images.roots` names {name!r}, which is no folder; nothing was sent.",
                remedy="Make the folder, or name the one that the pictures lie in.",
            )
    return ImageFiles(
        settings=settings,
        home=task.home,
        roots=tuple(Path(os.path.realpath(root)) for root in roots),
    )


def find_images(task: Task, snapshot: InputSnapshot) -> ImageFindings | None:
    """What the cells of a batch point to, each file read once; None where no column names pictures."""
    files = open_image_files(task)
    if files is None:
        return None
    has_columns = set(files.settings.columns) <= set(snapshot.meta.columns)
    rows = [row.values for row in snapshot.records] if has_columns else []
    found = files.find_all(list_image_sources(rows, files.settings))
    return ImageFindings(settings=files.settings, found=found)


def hash_images(task: Task, snapshot: InputSnapshot) -> Sha256 | None:
    """The digest of all pictures that a batch names, as they are now; None where no column names any.

    The table does not change when a file does: this is what tells. It reads every file.
    """
    findings = find_images(task, snapshot)
    return None if findings is None else fingerprint_findings(findings.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFiles:
    """The pictures below some folders."""

    settings: ImageSettings
    home: Path
    """Where a path starts from that is in none of the folders."""
    roots: tuple[Path, ...]
    """With all links followed."""

    def find_all(self, sources: Iterable[str]) -> dict[str, Found]:
        """What lies where each of these points."""
        return {source: self.find(source) for source in sources}

    def find(self, source: str) -> Found:
        """What a cell points to; whatever is wrong with it is an `ImageProblem` and no exception."""
        if _ADDRESS.match(source):
            return self._check_address(source)
        path = self._locate(source)
        if isinstance(path, ImageProblem):
            return path
        try:
            with _open_file(path) as file:
                return self._read_facts(file)
        except OSError as exc:
            return _describe(exc)

    def load(self, part: ImagePart) -> bytes | ImageProblem:
        """The bytes of a picture, if they are still those that it is known by."""
        path = self._locate(part.source)
        if part.file is None or isinstance(path, ImageProblem):
            return CHANGED
        try:
            with _open_file(path) as file:
                content = file.read(part.file.n_bytes + 1)
        except OSError:
            return CHANGED
        is_same = hashlib.sha256(content).hexdigest() == part.file.sha256
        return content if is_same else CHANGED

    def _locate(self, source: str) -> Path | ImageProblem:
        """The file, with all links followed before it is decided whether it lies inside."""
        if not self.roots:
            return ImageProblem("is no address, and `images.roots` names no folder for files")
        try:
            paths = [Path(os.path.realpath(base / source)) for base in (*self.roots, self.home)]
            inside = [path for path in paths if any(map(path.is_relative_to, self.roots))]
            existing = [path for path in paths if path.exists()]
        except (OSError, ValueError) as exc:
            return _describe(exc)
        found = next((path for path in existing if path in inside), None)
        return found or (OUTSIDE if existing or not inside else MISSING)

    def _read_facts(self, file: BinaryIO) -> ImageFile | ImageProblem:
        n_bytes = os.fstat(file.fileno()).st_size
        if n_bytes > self.settings.max_bytes:
            return self._build_too_large(n_bytes)
        head = file.read(HEAD_BYTES)
        header = read_image_header(head) if head else ImageProblem("is an empty file")
        if isinstance(header, ImageProblem):
            return header
        digest, n_bytes = hashlib.sha256(head), len(head)
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            n_bytes += len(chunk)
            if n_bytes > self.settings.max_bytes:  # it grew
                return self._build_too_large(n_bytes)
        return ImageFile(
            sha256=Sha256(digest.hexdigest()),
            media_type=header.media_type,
            n_bytes=n_bytes,
            width=header.width,
            height=header.height,
        )

    def _build_too_large(self, n_bytes: int) -> ImageProblem:
        allowed = self.settings.max_bytes
        return ImageProblem(f"has {n_bytes:,} bytes, and `images.max_bytes` allows {allowed:,}")

    def _check_address(self, source: str) -> ImageProblem | None:
        if not self.settings.allow_urls:
            return ImageProblem("is an address, and only files are sent (`images.allow_urls`)")
        try:
            parts = urlsplit(source)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            return ImageProblem("is no address that can be read")
        if not is_address:
            return ImageProblem("is no http:// or https:// address")
        if parts.username or parts.password:
            return ImageProblem("holds a name or a password, which would be kept in the record")
        return None


@contextmanager
def _open_file(path: Path) -> Generator[BinaryIO]:
    """A file to read from; a folder, a pipe or a device is none, and opening a pipe would wait for its writer."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise IsADirectoryError(None, "it is no file")
    with path.open("rb") as file:
        yield file


def _describe(exc: OSError | ValueError) -> ImageProblem:
    """Why a file cannot be read, without the path that the exception may name."""
    reason = exc.strerror if isinstance(exc, OSError) else None
    if isinstance(exc, FileNotFoundError):
        return MISSING
    return ImageProblem(f"cannot be read: {(reason or 'that is no name of a file').lower()}")
