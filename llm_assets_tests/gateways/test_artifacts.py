import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, JsonValue
from upath import UPath

from llm_assets.core.values import FROZEN_RECORD, FrozenModel, Scalar
from llm_assets.errors import StorageError
from llm_assets.gateways.artifacts import (
    RECORDS_PER_CHUNK,
    fingerprint_model,
    fingerprint_records,
    load_model,
    load_records,
    write_model,
    write_records,
)


class Meta(FrozenModel):
    format_version: Literal[1] = 1
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    note_id: str
    values: dict[str, Scalar]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    meta: Meta
    records: tuple[Note, ...]


class Card(FrozenModel):
    format_version: Literal[1] = 1
    name: str
    cost_usd: Decimal
    made_at: datetime
    content: dict[str, JsonValue]


NASTY = 'line\nreturn\r\u2028\u2029\x85\x0b\x0c\x1c\x00 tab\t "quote" \\ 🎉 é'
CARD = Card(
    name=NASTY,
    cost_usd=Decimal("0.0000001000"),
    made_at=datetime(2026, 11, 20, tzinfo=UTC),
    content={"b": [1, 2.5, None, True], "a": {"ü": "x"}},
)


def build_notes(*values: Scalar, title: str = "t") -> Notes:
    records = tuple(
        Note(note_id=str(n), values={"b": value, "a": "x"}, tags=("z", "y"))
        for n, value in enumerate(values)
    )
    return Notes(meta=Meta(title=title), records=records)


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UPath]:
    """A local folder, and one of an object storage."""
    if request.param == "local":
        yield UPath(tmp_path / "new" / "folder")
        return
    path = UPath("memory://artifacts/folder")
    yield path
    MemoryFileSystem.store.clear()


def load(path: UPath) -> Notes:
    return load_records(path, Notes, shown="notes/a.jsonl")


def test_a_value_comes_back_as_it_was(folder: UPath):
    """A single value survives its file, to the last digit and control character."""
    write_model(folder / "card.json", CARD)
    assert load_model(folder / "card.json", Card, shown="card.json") == CARD


def test_a_collection_comes_back_as_it_was(folder: UPath):
    """Records and meta survive their files, in order, with every kind of cell."""
    cells = ("", NASTY, 1, 1.0, -0.0, 1e300, 2**70, True, None)
    notes = build_notes(*cells)
    write_records(folder / "a.jsonl", notes)
    assert load(folder / "a.jsonl") == notes
    assert [type(n.values["b"]) for n in load(folder / "a.jsonl").records] == [
        type(n.values["b"]) for n in notes.records
    ]


def test_an_empty_collection_comes_back(folder: UPath):
    """No records are an empty file and no error."""
    write_records(folder / "a.jsonl", build_notes())
    assert load(folder / "a.jsonl") == build_notes()
    assert (folder / "a.jsonl").read_bytes() == b""


def test_thousands_of_records_come_back(folder: UPath):
    """A collection larger than what is encoded at a time is written in one piece."""
    notes = build_notes(*range(2 * RECORDS_PER_CHUNK + 1))
    write_records(folder / "a.jsonl", notes)
    assert load(folder / "a.jsonl") == notes


@given(
    values=st.lists(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        max_size=5,
    )
)
def test_any_cell_comes_back(values: list[Scalar]):
    """Whatever a cell can hold is read as what was written, one record a line."""
    path = UPath("memory://artifacts/any/a.jsonl")
    notes = build_notes(*values)
    write_records(path, notes)
    assert load(path) == notes
    assert path.read_bytes().count(b"\n") == len(values)


def test_the_same_value_is_the_same_bytes(folder: UPath):
    """Keys are sorted, text is UTF-8 as it is, and the order of a dictionary's making does not show."""
    first = Note(note_id="n", values={"a": "é", "b": 1})
    second = Note(note_id="n", values={"b": 1, "a": "é"})
    for name, note in (("1", first), ("2", second)):
        write_records(folder / f"{name}.jsonl", Notes(meta=Meta(title="t"), records=(note,)))
    assert fingerprint_model(CARD) == fingerprint_model(
        CARD.model_copy(update={"content": dict(reversed(CARD.content.items()))})
    )
    one, other = ((folder / f"{name}.jsonl").read_bytes() for name in ("1", "2"))
    assert one == other
    assert one.decode() == '{"note_id":"n","tags":[],"values":{"a":"é","b":1}}\n'


def test_a_single_value_is_laid_out_for_people(folder: UPath):
    """A single value is indented JSON with sorted keys and a last line break."""
    write_model(folder / "m.json", Meta(title="ü"))
    text = (folder / "m.json").read_bytes().decode()
    assert text == '{\n  "format_version": 1,\n  "title": "ü"\n}\n'


def test_a_fingerprint_is_that_of_the_bytes(folder: UPath):
    """The hash before writing is the hash of the file; of a collection the meta is no part."""
    notes = build_notes("a", "b")
    write_records(folder / "a.jsonl", notes)
    write_model(folder / "c.json", CARD)
    records, card = (folder / name for name in ("a.jsonl", "c.json"))
    assert fingerprint_records(notes) == hashlib.sha256(records.read_bytes()).hexdigest()
    assert fingerprint_model(CARD) == hashlib.sha256(card.read_bytes()).hexdigest()
    assert fingerprint_records(build_notes("a", "b", title="u")) == fingerprint_records(notes)


def test_the_meta_vouches_for_the_records(folder: UPath):
    """Any tool finds beside the records what they are and the hash of their bytes."""
    write_records(folder / "a.jsonl", build_notes("a"))
    meta = json.loads((folder / "a.meta.json").read_bytes())
    assert meta["title"] == "t"
    assert meta["records_sha256"] == fingerprint_records(build_notes("a"))


def test_a_key_with_dots_keeps_its_name(folder: UPath):
    """A batch called `10.x` has its own files."""
    write_records(folder / "10.x.jsonl", build_notes("a"))
    assert {path.name for path in folder.iterdir()} == {"10.x.jsonl", "10.x.meta.json"}


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "half \ud800"], ids=["nan", "inf", "half"]
)
def test_what_no_file_can_hold_is_refused_and_the_old_file_stays(folder: UPath, value: Scalar):
    """A value that is no JSON stops with a sentence; the artifact of before is whole and nothing is left beside it."""
    path = folder / "a.jsonl"
    write_records(path, build_notes("old"))
    good_first = [*range(RECORDS_PER_CHUNK), value]
    with pytest.raises(StorageError, match=r"The artifact a\.jsonl cannot be written"):
        write_records(path, build_notes(*good_first))
    assert load(path) == build_notes("old")
    assert {entry.name for entry in folder.iterdir()} == {"a.jsonl", "a.meta.json"}


def test_a_disk_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the last step of a write fails, the file of before is whole and no temporary one stays."""
    path = UPath(tmp_path / "card.json")
    write_model(path, CARD)

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match=r"card\.json cannot be written: .*No space left"):
        write_model(path, CARD.model_copy(update={"name": "new"}))
    assert load_model(path, Card, shown="card.json") == CARD
    assert [entry.name for entry in tmp_path.iterdir()] == ["card.json"]


def test_a_folder_that_is_a_file_is_told(tmp_path: Path):
    """An artifact that cannot be placed is named with what to check."""
    (tmp_path / "triage").write_text("x")
    with pytest.raises(StorageError, match=r"card\.json cannot be written.* Check the folder"):
        write_model(UPath(tmp_path / "triage" / "card.json"), CARD)


DAMAGES = {
    "a meta of other records": (
        lambda folder: (folder / "a.jsonl").write_bytes((folder / "a.jsonl").read_bytes()[:-3]),
        "The artifact notes/a.jsonl and its .meta.json do not belong together.",
    ),
    "no records": (
        lambda folder: (folder / "a.jsonl").unlink(),
        "The artifact notes/a.jsonl does not exist.",
    ),
    "no meta": (
        lambda folder: (folder / "a.meta.json").unlink(),
        "The artifact notes/a.meta.json does not exist.",
    ),
    "a meta that is no JSON": (
        lambda folder: (folder / "a.meta.json").write_bytes(b"{\xff"),
        "The artifact notes/a.meta.json is damaged or was written by another version",
    ),
    "a meta that is a list": (
        lambda folder: (folder / "a.meta.json").write_bytes(b"[]"),
        "The artifact notes/a.meta.json is damaged or was written by another version",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_pair_is_recognised(folder: UPath, damage: str):
    """Half of a pair, or one whose halves differ, is named with the stage to run again."""
    write_records(folder / "a.jsonl", build_notes("a", "b"))
    break_it, expected = DAMAGES[damage]
    break_it(folder)
    with pytest.raises(StorageError) as caught:
        load(folder / "a.jsonl")
    assert str(caught.value).startswith(expected)
    assert caught.value.remedy == "Materialize the stage again; answered calls cost nothing."


def rewrite(folder: UPath, *, records: bytes, meta: dict[str, JsonValue]) -> None:
    """A pair whose halves belong together, whatever they hold."""
    (folder / "a.jsonl").write_bytes(records)
    whole = {**meta, "records_sha256": hashlib.sha256(records).hexdigest()}
    (folder / "a.meta.json").write_bytes(json.dumps(whole).encode())


GOOD_RECORD = b'{"note_id":"n","tags":[],"values":{}}\n'
FOREIGN: dict[str, tuple[bytes, dict[str, JsonValue], str]] = {
    "a newer format": (GOOD_RECORD, {"format_version": 2, "title": "t"}, "format_version"),
    "an unknown field of the meta": (GOOD_RECORD, {"title": "t", "extra": 1}, "extra"),
    "an unknown field of a record": (
        b'{"note_id":"n","tags":[],"values":{},"more":1}\n',
        {"title": "t"},
        "more",
    ),
    "a missing field of a record": (b'{"tags":[],"values":{}}\n', {"title": "t"}, "note_id"),
    "a field of another type": (
        b'{"note_id":1,"tags":[],"values":{}}\n',
        {"title": "t"},
        "note_id",
    ),
    "a line that is no JSON": (b"note\n", {"title": "t"}, "Invalid JSON"),
    "a line without content": (GOOD_RECORD + b"\n", {"title": "t"}, "Invalid JSON"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_collection_is_told_with_its_place(folder: UPath, kind: str):
    """Records of another version or tool are refused, and the message names the field."""
    records, meta, place = FOREIGN[kind]
    folder.mkdir(parents=True, exist_ok=True)
    rewrite(folder, records=records, meta=meta)
    with pytest.raises(StorageError) as caught:
        load(folder / "a.jsonl")
    message = str(caught.value)
    assert message.startswith(
        "The artifact notes/a.jsonl is damaged or was written by another version: "
    )
    assert place in message


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"format_version": 2, "title": "t"}', "format_version"),
        (b'{"title": "t", "more": 1}', "more"),
        (b"[]", "object"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"", "Invalid JSON"),
    ],
)
def test_a_foreign_value_is_told_with_its_place(folder: UPath, content: bytes, place: str):
    """A single value of another version or tool is refused, and the message names the field."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.json").write_bytes(content)
    with pytest.raises(StorageError, match=r"The artifact m\.json is damaged") as caught:
        load_model(folder / "m.json", Meta, shown="m.json")
    assert place in str(caught.value)


def test_a_missing_value_is_told(folder: UPath):
    """A stage that never ran is told as such."""
    with pytest.raises(StorageError, match=r"The artifact triage/m\.json does not exist"):
        load_model(folder / "m.json", Meta, shown="triage/m.json")
