import subprocess
import sys
from pathlib import Path

import pytest

from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.errors import StorageError
from llm_assets.gateways.vector_store import VectorRecord, VectorStore, open_vector_store

pytest.importorskip("lancedb", reason="the extra `vectors` is not installed")

SPACE, OTHER_SPACE = Sha256("a" * 64), Sha256("b" * 64)
MAY, JUNE = BatchKey("may"), BatchKey("it's june")


def open_store(folder: Path, space: Sha256 = SPACE) -> VectorStore:
    return open_vector_store(folder / "vectors", space=space)


def build(record_id: str, vector=(1.0, 0.0), text: str = "a text") -> VectorRecord:
    return VectorRecord(
        record_id=record_id,
        content_sha256=Sha256(f"{record_id}/{text}"),
        text=text,
        payload="{}",
        vector=vector,
    )


def list_ids(store: VectorStore, vector=(1.0, 0.0), limit: int = 100) -> list[str]:
    return [each.record_id for each in store.find_nearest(vector, limit=limit)]


def test_an_empty_store_has_nothing_and_is_not_made(tmp_path):
    """Asking makes no folder."""
    store = open_store(tmp_path)
    assert store.load_contents(MAY) == {}
    assert (store.count_records(), store.find_dimensions()) == (0, None)
    assert store.find_nearest((1.0, 0.0), limit=3) == ()
    store.remove_records(MAY, ["a"])
    store.remove_other_spaces(MAY)
    store.tidy()
    assert not (tmp_path / "vectors").exists()


def test_the_nearest_come_first_with_their_cosine(tmp_path):
    """The length of a vector does not count, its direction does; the opposite one is last."""
    store = open_store(tmp_path)
    vectors = {"same": (2.0, 0.0), "half": (0.5, 0.5), "right": (0.0, 9.0), "away": (-1.0, 0.0)}
    store.write_records(MAY, [build(name, vector) for name, vector in reversed(vectors.items())])
    found = store.find_nearest((1.0, 0.0), limit=4)
    assert [each.record_id for each in found] == list(vectors)
    assert [each.score for each in found] == pytest.approx([1, 0.5**0.5, 0, -1], abs=1e-6)


def test_a_record_takes_the_place_of_the_one_with_its_id(tmp_path):
    """In its own batch; another batch may have the same row."""
    store = open_store(tmp_path)
    store.write_records(MAY, [build("a"), build("b")])
    store.write_records(JUNE, [build("a", text="of june")])
    store.write_records(MAY, [build("a", text="new")])
    assert store.load_contents(MAY) == {"a": "a/new", "b": "b/a text"}
    assert store.load_contents(JUNE) == {"a": "a/of june"}
    assert store.count_records() == 3


def test_removing_is_by_batch(tmp_path):
    """Odd ids are no conditions, and what is not there is not missed."""
    store = open_store(tmp_path)
    odd = "x' OR 'a' = 'a"
    store.write_records(MAY, [build("a"), build(odd), build("b")])
    store.write_records(JUNE, [build("a"), build(odd)])
    store.remove_records(JUNE, [odd, "nobody"])
    assert set(store.load_contents(MAY)) == {"a", odd, "b"}
    assert set(store.load_contents(JUNE)) == {"a"}


def test_many_records_are_removed_at_once(tmp_path):
    """A condition holds only so many ids, so there are several."""
    store = open_store(tmp_path)
    ids = [f"r{number}" for number in range(1201)]
    store.write_records(MAY, [build(record_id) for record_id in ids])
    store.remove_records(MAY, ids[1:])
    assert list(store.load_contents(MAY)) == ["r0"]


def test_equally_near_records_come_in_one_order(tmp_path):
    """Whichever came first, and also where the limit cuts through them."""
    store = open_store(tmp_path)
    ids = [f"r{number:02}" for number in range(30)]
    store.write_records(MAY, [build(record_id) for record_id in reversed(ids)])
    store.write_records(BatchKey("april"), [build("z")])
    store.write_records(MAY, [build("near", (1.0, 0.01))])
    assert list_ids(store, limit=4) == ["z", "r00", "r01", "r02"]
    assert list_ids(store) == ["z", *ids, "near"]


def test_spaces_are_kept_apart(tmp_path):
    """Vectors made in another way have another length and are never found together."""
    old, new = open_store(tmp_path), open_store(tmp_path, OTHER_SPACE)
    old.write_records(MAY, [build("a"), build("b")])
    old.write_records(JUNE, [build("c")])
    new.write_records(MAY, [build("a", (1.0, 0.0, 0.0))])
    assert list_ids(new, (1.0, 0.0, 0.0)) == ["a"]
    new.remove_other_spaces(MAY)
    assert list_ids(old) == ["c"]
    new.remove_other_spaces(JUNE)
    assert old.count_records() == 0
    assert list_ids(new, (1.0, 0.0, 0.0)) == ["a"]


def test_tidying_changes_nothing_that_is_found(tmp_path):
    """Many small writes become few files."""
    store = open_store(tmp_path)
    for number in range(5):
        store.write_records(MAY, [build(f"r{number}")])
    before = list_ids(store)
    store.tidy()
    assert list_ids(store) == before


def test_a_vector_of_another_length_is_told(tmp_path):
    """Trouble of the store is one sentence, with what to do."""
    store = open_store(tmp_path)
    store.write_records(MAY, [build("a")])
    with pytest.raises(StorageError, match="cannot be written"):
        store.write_records(MAY, [build("b", (1.0, 0.0, 0.0))])
    with pytest.raises(StorageError, match="delete the folder"):
        store.find_nearest((1.0, 0.0, 0.0), limit=1)
    assert list_ids(store) == ["a"]


WRITE = """
import sys
from pathlib import Path
from llm_assets.core.ids import BatchKey
from llm_assets_tests.gateways.test_vector_store import build, open_store

folder, batch = Path(sys.argv[1]), BatchKey(sys.argv[2])
for number in range(15):
    store = open_store(folder)
    store.write_records(batch, [build(f"{batch}{number}"), build(f"{batch}x{number}")])
    store.remove_records(batch, [f"{batch}x{number}"])
    store.tidy()
"""


@pytest.mark.slow
def test_processes_that_write_different_batches_lose_nothing(tmp_path):
    """They wait for each other, also at the first write, when the table is made."""
    batches = ("may", "june", "july")
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), batch]) for batch in batches
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    store = open_store(tmp_path)
    for batch in batches:
        wanted = {f"{batch}{number}" for number in range(15)}
        assert set(store.load_contents(BatchKey(batch))) == wanted
