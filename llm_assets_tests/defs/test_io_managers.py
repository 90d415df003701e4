import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import dagster as dg
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pydantic import ConfigDict
from upath import UPath

from llm_assets.core.export import ExportMeta, ExportRow, ExportTable
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.ids import WorkId
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


EXPORT = ExportTable(
    meta=ExportMeta(
        columns=(
            ExportColumn(name="id", source="input", path=("id",), kind="text"),
            ExportColumn(name="score", source="output", path=("score",), kind="integer"),
        ),
        n_rows=2,
        n_accepted=1,
        n_left_out=0,
        is_rehearsal=False,
    ),
    records=(
        ExportRow(work_id=WorkId("w1"), values={"score": 7, "id": "007"}),
        ExportRow(work_id=WorkId("w2"), values={"id": "x", "score": None}),
    ),
)
EXPORT_KEY = dg.AssetKey(["triage", "export"])


@dg.asset(key=EXPORT_KEY, partitions_def=BATCHES)
def export() -> ExportTable:
    return EXPORT


def build_reader(annotation: object, *, key: dg.AssetKey = EXPORT_KEY, is_partitioned=True):
    """Somebody's asset that takes a stage with this annotation."""

    def read(value) -> None:
        SEEN.append(value)

    read.__annotations__["value"] = annotation
    return dg.asset(
        name="read",
        ins={"value": dg.AssetIn(key)},
        partitions_def=BATCHES if is_partitioned else None,
    )(read)


def test_an_export_can_be_taken_as_a_frame(base: UPath):
    """Code that works with pandas gets rows and columns in the export's order, labels as text."""
    write_records(base / "triage" / "export" / "may.jsonl", EXPORT)
    read = build_reader(pd.DataFrame)
    assert materialize(base, [export, read], [read]).success
    (frame,) = SEEN
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["id", "score"]
    assert list(frame["id"]) == ["007", "x"]
    assert frame["score"].tolist()[0] == 7
    assert frame["score"].isna().tolist() == [False, True]


@pytest.mark.parametrize("batches", [["may"], ["may", "10.x"]])
def test_all_batches_come_by_their_keys(base: UPath, batches: list[str]):
    """An asset about all batches gets them as a dict, also where there is only one so far."""
    partitions = dg.StaticPartitionsDefinition(batches)
    upstream = dg.asset(key=EXPORT_KEY, partitions_def=partitions)(lambda: EXPORT)
    for batch in batches:
        write_records(base / "triage" / "export" / f"{batch}.jsonl", EXPORT)
    read = build_reader(dict[str, ExportTable], is_partitioned=False)
    assert materialize(base, [upstream, read], [read], partition=None).success
    assert [dict.fromkeys(batches, EXPORT)] == SEEN


@pytest.mark.parametrize(
    ("annotation", "key", "words"),
    [
        (Any, EXPORT_KEY, "`value` takes triage/export, but its annotation is no type"),
        (dict, EXPORT_KEY, "`value` takes triage/export, but its annotation is no type"),
        (pd.DataFrame, notes.key, "triage/notes as a DataFrame, which only exports are"),
    ],
)
def test_an_argument_has_to_say_what_it_takes(base: UPath, annotation, key, words):
    """Somebody's asset that does not say how it wants a stage, or wrongly, is told what to write."""
    read = build_reader(annotation, key=key)
    failure = find_failure(materialize(base, [export, notes, read], [read]))
    told = failure.user_failure_data
    assert told is not None
    assert words in (told.description or "")
    assert "Annotate it" in str(told.metadata["remedy"].value)


def test_a_prefix_of_the_key_is_no_folder(base: UPath):
    """Whatever a project puts before a task's name, the files lie where the command line finds them."""
    prefixed = dg.asset(key=["support", "mail", "triage", "card"])(lambda: Card(name="c"))
    done = dg.materialize(
        [prefixed],
        resources={"io_manager": ArtifactIOManager(base, n_prefix=2)},
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert done.success
    assert (base / "triage" / "card.json").exists()


def test_a_stage_without_a_value_leaves_no_file(base: UPath):
    """An asset that returns nothing writes nothing."""
    make(base)
    materialize(base, [card, notes, reader], [reader])
    assert not (base / "triage" / "reader").exists()


def find_failure(result: dg.ExecuteInProcessResult):
    (event,) = result.get_step_failure_events()
    return event.step_failure_data


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "triage/notes/may.meta.json",
            (
                "triage/notes was not made yet for the batch may, or was taken away. The artifact triage/notes/may.meta.json "
                "does not exist. Materialize triage/notes of may first, or run the job triage_batch for it. "
                "Answered calls cost nothing."
            ),
        ),
        (
            "triage/card.json",
            (
                "triage/card was not made yet, or was taken away. The artifact {root}/triage/card.json does not exist. "
                "Run the job triage_schema first, or `llm-assets run triage`, which makes all in order. "
                "Answered calls cost nothing."
            ),
        ),
    ],
)
def test_a_stage_that_was_never_made_is_named_with_what_makes_it(tmp_path, path, expected):
    """Not the stage that reads it has to be materialized again, but the one before it, or its job."""
    base = UPath(tmp_path)
    make(base)
    (base / path).unlink()
    failure = find_failure(materialize(base, [card, notes, reader], [reader]))
    told = failure.user_failure_data
    assert told is not None
    assert told.description == expected.format(root=tmp_path.name)


def test_a_stage_of_a_prefixed_project_is_made_by_dagster(tmp_path):
    """The command line knows such a task by another key, so its job alone is named."""
    read = dg.asset(name="read", ins={"card": dg.AssetIn(["support", "triage", "card"])})(
        _take_card
    )
    prefixed = dg.asset(key=["support", "triage", "card"])(lambda: Card(name="c"))
    ended = dg.materialize(
        [prefixed, read],
        selection=[read],
        resources={"io_manager": ArtifactIOManager(UPath(tmp_path), n_prefix=1)},
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
    )
    told = find_failure(ended).user_failure_data
    assert told is not None
    assert (told.description or "").startswith("support/triage/card was not made yet")
    assert str(told.metadata["remedy"].value).startswith("Run the job triage_schema first. ")


def _take_card(card: Card) -> None:
    SEEN.append(card)


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("triage/notes/may.jsonl", b"{}\n", "do not belong together"),
        ("triage/notes/may.meta.json", b"[]", "is damaged or was written by another version"),
        ("triage/card.json", b'{"format_version": 2, "name": "c"}', "format_version"),
    ],
)
def test_a_foreign_file_fails_the_step_plainly(tmp_path, path, content, expected):
    """The step that needs the file fails with the sentence for people, and is not tried again."""
    base = UPath(tmp_path)
    make(base)
    (base / path).write_bytes(content)
    failure = find_failure(materialize(base, [card, notes, reader], [reader]))
    told = failure.user_failure_data
    assert told is not None
    assert expected in (told.description or "")
    assert told.metadata["exit_code"].value == 2
    assert "Materialize the stage again" in str(told.metadata["remedy"].value)
