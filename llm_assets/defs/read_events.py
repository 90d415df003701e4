"""What was read of Dagster's history before, so that no look reads the same thousands of events again.

An event never changes. Its number could be given away anew only after it was deleted together with all that came
after it, so a stage's events are known by their numbers as long as the newest of them is still the same one.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from pydantic import TypeAdapter, ValidationError

from llm_assets.core import staleness
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.staleness import Made
from llm_assets.errors import StorageError
from llm_assets.gateways.tables.whole_file import open_whole
from llm_assets.gateways.text_files import fingerprint_file

FOLDER = "llm_assets_read_events"
EventId = int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEvents:
    """What the materializations of one stage say, as it was read of them."""

    reader_sha256: str
    """The code that read them; another one may read something else of them."""
    made: Mapping[EventId, Made]

    @property
    def newest(self) -> EventId | None:
        """The last event of them."""
        return max(self.made, default=None)


_READ_EVENTS = TypeAdapter(ReadEvents)


def find_place(history: dg.DagsterInstance, key: dg.AssetKey) -> Path:
    """Where it is kept what was read of an asset's events: beside the history that they are of."""
    return Path(history.root_directory, FOLDER, *key.path[:-1], f"{key.path[-1]}.json")


def hash_reader(reader: Path) -> str:
    """The hash of a reader's code and of what it makes of an event."""
    return fingerprint([fingerprint_file(reader), fingerprint_file(Path(staleness.__file__))])


def load_read_events(place: Path, *, reader_sha256: str) -> ReadEvents:
    """What is kept; nothing where it is missing, damaged or was read by other code, because it can be read again."""
    with suppress(OSError, ValidationError):
        kept = _READ_EVENTS.validate_json(place.read_bytes())
        if kept.reader_sha256 == reader_sha256:
            return kept
    return ReadEvents(reader_sha256=reader_sha256, made={})


def save_read_events(place: Path, events: ReadEvents) -> None:
    """Keep it; a folder that cannot be written costs the next look its time and nothing else."""
    with suppress(StorageError), open_whole(place) as stream:
        stream.write(_READ_EVENTS.dump_json(events))
