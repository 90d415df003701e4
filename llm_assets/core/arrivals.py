"""Which input files have arrived or changed since they were last asked to run?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.core.values import FrozenModel

SETTLING_SECONDS = 3.0
"""A file that was written to more recently may still be growing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """By what a change of a file is noticed without reading it."""

    size_bytes: int
    modified_ns: int
    """Nanoseconds of Unix time."""


class KnownFile(FrozenModel):
    """What is remembered of one batch's file."""

    size_bytes: int
    modified_ns: int
    sha256: Sha256
    requested_sha256: Sha256 | None = None
    """The content that a run was last asked for."""
    n_requests: int = 0
    """Makes each request a new one, also for content that was asked for before."""

    @property
    def stamp(self) -> FileStamp:
        """The file as it was when it was read."""
        return FileStamp(size_bytes=self.size_bytes, modified_ns=self.modified_ns)

    def note_request(self) -> "KnownFile":
        """The same file after a run was asked for."""
        return self.model_copy(
            update={"requested_sha256": self.sha256, "n_requests": self.n_requests + 1}
        )


class KnownFiles(FrozenModel):
    """What is remembered from look to look."""

    files: dict[BatchKey, KnownFile] = Field(default_factory=dict[BatchKey, KnownFile])
    waiting: dict[BatchKey, FileStamp] = Field(default_factory=dict[BatchKey, FileStamp])
    """The files that were left for the next look, as they were at the last one."""

    def find_unread(self, stamps: Mapping[BatchKey, FileStamp]) -> tuple[BatchKey, ...]:
        """The files that have to be read again to know whether their content changed."""
        return tuple(
            key
            for key, stamp in stamps.items()
            if key not in self.files or self.files[key].stamp != stamp
        )

    def find_settled(
        self, stamps: Mapping[BatchKey, FileStamp], *, now_seconds: float
    ) -> tuple[BatchKey, ...]:
        """The files to be read now: changed, and at rest as far as their times tell.

        A time that stands still or goes back while the file changes tells nothing, as in the moment after a file
        was emptied to be written anew: such a file has to look the same twice.
        """
        return tuple(
            key
            for key in self.find_unread(stamps)
            if is_settled(stamps[key], now_seconds=now_seconds)
            and (self._has_moved_on(key, stamps[key]) or self.waiting.get(key) == stamps[key])
        )

    def _has_moved_on(self, key: BatchKey, stamp: FileStamp) -> bool:
        return key not in self.files or stamp.modified_ns > self.files[key].modified_ns

    def note_read(
        self, stamps: Mapping[BatchKey, FileStamp], read: Mapping[BatchKey, Sha256]
    ) -> "KnownFiles":
        """The files that are there now, with the content of those that were read."""
        files: dict[BatchKey, KnownFile] = {}
        for key, stamp in stamps.items():
            known = self.files.get(key)
            sha256 = read.get(key)
            if sha256 is not None:
                files[key] = KnownFile(
                    size_bytes=stamp.size_bytes,
                    modified_ns=stamp.modified_ns,
                    sha256=sha256,
                    requested_sha256=known.requested_sha256 if known else None,
                    n_requests=known.n_requests if known else 0,
                )
            elif known is not None:
                files[key] = known
        left = [key for key in self.find_unread(stamps) if key not in read]
        return KnownFiles(files=files, waiting={key: stamps[key] for key in left})

    def find_due(self, made: Mapping[BatchKey, str]) -> tuple[BatchKey, ...]:
        """The batches to be run: their content was not asked for last, and is not what they were last made from.

        A file that was put back to an earlier content is due as well. One whose run failed waits for a change.
        """
        return tuple(
            key
            for key, file in self.files.items()
            if file.sha256 not in (file.requested_sha256, made.get(key))
        )

    def note_requests(self, keys: Sequence[BatchKey]) -> "KnownFiles":
        """The same files after runs of these were asked for."""
        asked = {key: self.files[key].note_request() for key in keys}
        return self.model_copy(update={"files": {**self.files, **asked}})


def is_settled(stamp: FileStamp, *, now_seconds: float) -> bool:
    """Whether a file was left alone for a while; one from the future has been copied with its time."""
    age_seconds = now_seconds - stamp.modified_ns / 1e9
    return not 0 <= age_seconds < SETTLING_SECONDS
