"""Which files hold something new, read only where they look changed and are at rest."""

from collections.abc import Callable, Mapping
from pathlib import Path

from llm_assets.core.arrivals import FileStamp, KnownFiles
from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.errors import InputError
from llm_assets.gateways.batches import hash_file, stamp_file


def read_settled(
    known: KnownFiles,
    paths: Mapping[BatchKey, Path],
    *,
    now_seconds: float,
    show_problem: Callable[[str], None],
) -> KnownFiles:
    """What is known of these files after another look; what may still be growing is left for the next one.

    So is a file that cannot be read: it is told of, and keeps no other one out.
    """
    stamps = {key: stamp_file(path) for key, path in paths.items()}
    read: dict[BatchKey, Sha256] = {}
    for key in known.find_settled(stamps, now_seconds=now_seconds):
        try:
            sha256 = _hash_unchanging(paths[key], stamps[key])
        except InputError as exc:
            show_problem(str(exc))
            continue
        if sha256 is not None:
            read[key] = sha256
    return known.note_read(stamps, read)


def _hash_unchanging(path: Path, stamp: FileStamp) -> Sha256 | None:
    """The content that belongs to this stamp; None where the file was written to while it was read."""
    sha256 = hash_file(path)
    return sha256 if stamp_file(path) == stamp else None
