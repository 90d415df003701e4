"""Which files hold something new, read only where they look changed and are at rest."""

from collections.abc import Mapping
from pathlib import Path

from llm_assets.core.arrivals import KnownFiles, is_settled
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.batches import hash_file, stamp_file


def read_settled(
    known: KnownFiles, paths: Mapping[BatchKey, Path], *, now_seconds: float
) -> KnownFiles:
    """What is known of these files after another look; what may still be growing is left for the next one.

    `InputError` where a file cannot be read.
    """
    stamps = {key: stamp_file(path) for key, path in paths.items()}
    settled = [
        key for key in known.find_unread(stamps) if is_settled(stamps[key], now_seconds=now_seconds)
    ]
    return known.note_read(stamps, {key: hash_file(paths[key]) for key in settled})
