import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import dagster as dg
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pydantic import ConfigDict
from upath import UPath

from llm_assets.core.values import FROZEN_RECORD, CollectionMeta, FrozenModel
from llm_assets.defs.io_managers import ArtifactIOManager
from llm_assets.gateways.artifacts import write_model, write_records

BATCHES = dg.StaticPartitionsDefinition(["may", "10.x"])


class Card(FrozenModel):
    format_version: Literal[1] = 1
    name: str


class NotesMeta(CollectionMeta):
    format_version: Literal[1] = 1
    n_notes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    meta: NotesMeta
    records: tuple[Note, ...]


NOTES = Notes(meta=NotesMeta(n_notes=1), records=(Note(text="\u2028 é"),))
SEEN: list[object] = []


@dg.asset(key=["triage", "card"])
def card() -> Card:
    return Card(name="c")


@dg.asset(key=["triage", "notes"], partitions_def=BATCHES)
def notes() -> Notes:
    return NOTES


@dg.asset(
    key=["triage", "reader"],
    partitions_def=BATCHES,
    ins={"card": dg.AssetIn(["triage", "card"]), "notes": dg.AssetIn(["triage", "notes"])},
)
def reader(card: Card, notes: Notes) -> None:
    SEEN.extend([card, notes])


@dg.asset(
    key=["triage", "meta_reader"],
    partitions_def=BATCHES,
    ins={"notes": dg.AssetIn(["triage", "notes"])},
)
def meta_reader(notes: NotesMeta) -> None:
    SEEN.append(notes)


@pytest.fixture(params=["local", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UPath]:
    """A local folder, and one of an object storage."""
    path = UPath(tmp_path) if request.param == "local" else UPath("memory://io")
    yield path
    if request.param == "memory":
        MemoryFileSystem.store.clear()


def materialize(base: UPath, assets, selection, *, partition: str | None = "may"):
    SEEN.clear()
    return dg.materialize(
        assets,
        selection=selection,
        partition_key=partition,
        resources={"io_manager": ArtifactIOManager(base)},
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
    )


def make(base: UPath) -> None:
    write_model(base / "triage" / "card.json", Card(name="c"))
    write_records(base / "triage" / "notes" / "may.jsonl", NOTES)


def test_every_stage_has_a_file_that_any_tool_reads(base: UPath):
    """A value is `<task>/<stage>.json`, a collection `<task>/<stage>/<batch>.jsonl` with its meta beside it."""
    assert materialize(base, [card], [card], partition=None).success
    assert materialize(base, [notes], [notes]).success
    assert json.loads((base / "triage" / "card.json").read_bytes()) == {
        "format_version": 1,
        "name": "c",
    }
    folder = base / "triage" / "notes"
    assert {path.name for path in folder.iterdir()} == {"may.jsonl", "may.meta.json"}
    (line,) = (folder / "may.jsonl").read_bytes().decode().rstrip("\n").split("\n")
    assert json.loads(line) == {"text": "\u2028 é"}


def test_a_batch_with_a_dot_has_its_own_files(base: UPath):
    """What follows a dot in a batch's name is no ending."""
    assert materialize(base, [notes], [notes], partition="10.x").success
    folder = base / "triage" / "notes"
    assert {path.name for path in folder.iterdir()} == {"10.x.jsonl", "10.x.meta.json"}


def test_values_are_read_as_what_the_asset_asks_for(base: UPath):
    """An argument's type says what is loaded: the value, the collection, or its meta alone."""
    make(base)
    assert materialize(base, [card, notes, reader], [reader]).success
    assert [Card(name="c"), NOTES] == SEEN
    assert materialize(base, [notes, meta_reader], [meta_reader]).success
    assert [NOTES.meta] == SEEN


def test_a_stage_without_a_value_leaves_no_file(base: UPath):
    """An asset that returns nothing writes nothing."""
    make(base)
    materialize(base, [card, notes, reader], [reader])
    assert not (base / "triage" / "reader").exists()


def find_failure(result: dg.ExecuteInProcessResult):
    (event,) = result.get_step_failure_events()
    return event.step_failure_data


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("triage/notes/may.jsonl", None, "The artifact triage/notes/may.jsonl does not exist."),
        ("triage/notes/may.jsonl", b"{}\n", "do not belong together"),
        ("triage/notes/may.meta.json", b"[]", "is damaged or was written by another version"),
        ("triage/card.json", None, "card.json does not exist."),
        ("triage/card.json", b'{"format_version": 2, "name": "c"}', "format_version"),
    ],
)
def test_a_missing_or_foreign_file_fails_the_step_plainly(tmp_path, path, content, expected):
    """The step that needs the file fails with the sentence for people, and is not tried again."""
    base = UPath(tmp_path)
    make(base)
    (base / path).unlink()
    if content is not None:
        (base / path).write_bytes(content)
    failure = find_failure(materialize(base, [card, notes, reader], [reader]))
    told = failure.user_failure_data
    assert told is not None
    assert expected in (told.description or "")
    assert told.metadata["exit_code"].value == 2
    assert "Materialize the stage again" in str(told.metadata["remedy"].value)
