"""Where the vectors of published records lie, and which of them are nearest to another one.

It holds nothing that the ledger and the published records do not hold, so it can be deleted and made anew.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.errors import ConfigError, StorageError
from llm_assets.gateways.ledger.reading import cut

LOCK = "writing.lock"
IDS_PER_DELETE = 500
"""The longest list of ids in one condition."""
SPACE_DIGITS = 16
PREFIX = "records_"
KEYS = ["batch", "record_id"]
"""The same row may be in several batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRecord:
    """A record with its vector."""

    record_id: str
    content_sha256: Sha256
    text: str
    payload: str
    """A JSON object."""
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A record that was found."""

    score: float
    """The cosine of the angle: 1 is the same direction, 0 a right angle."""
    batch: BatchKey
    record_id: str
    text: str
    payload: str


class VectorStore:
    """The vectors of one task that were made in one way: the only ones that can be compared."""

    def __init__(self, lancedb: Any, folder: Path, space: Sha256) -> None:  # noqa: ANN401 - it has few types
        self._lancedb = lancedb
        self._folder = folder
        self._name = f"{PREFIX}{space[:SPACE_DIGITS]}"

    def load_contents(self, batch: BatchKey) -> dict[str, Sha256]:
        """By what each record of a batch is known, by its id."""
        table = self._open_table()
        if table is None:
            return {}
        with _speak_plainly(self._folder, "read"):
            query = table.search().where(f"batch = {_quote(batch)}")
            found = query.select(["record_id", "content_sha256"]).to_arrow()
            columns = (found.column(name).to_pylist() for name in found.column_names[:2])
            return {record_id: Sha256(sha256) for record_id, sha256 in zip(*columns, strict=True)}

    def write_records(self, batch: BatchKey, records: Sequence[VectorRecord]) -> None:
        """Put records of a batch in place of those with the same ids; all of them, or none."""
        if not records:
            return
        import pyarrow as pa

        with self._write():
            schema = _build_schema(len(records[0].vector))
            rows = [_build_row(batch, record) for record in records]
            table = self._database.create_table(self._name, schema=schema, exist_ok=True)
            merge = table.merge_insert(KEYS).when_matched_update_all().when_not_matched_insert_all()
            merge.execute(pa.Table.from_pylist(rows, schema=schema))

    def remove_records(self, batch: BatchKey, record_ids: Iterable[str]) -> None:
        """Remove these records of a batch."""
        if not self._folder.is_dir():
            return
        with self._write():
            table = self._open_table()
            if table is None:
                return
            for ids in cut(record_ids, IDS_PER_DELETE):
                listed = ", ".join(map(_quote, ids))
                table.delete(f"batch = {_quote(batch)} AND record_id IN ({listed})")

    def remove_other_spaces(self, batch: BatchKey) -> None:
        """Remove what the batch has among vectors that were made in another way, such as by another model."""
        if not self._folder.is_dir():
            return
        with self._write():
            for name in set(self._list_tables()) - {self._name}:
                table = self._database.open_table(name)
                table.delete(f"batch = {_quote(batch)}")
                if table.count_rows() == 0:
                    self._database.drop_table(name)

    def tidy(self) -> None:
        """Join the small files of many writes, so that a search does not open each of them."""
        if not self._folder.is_dir():
            return
        with self._write():
            table = self._open_table()
            if table is not None:
                table.optimize()

    def count_records(self) -> int:
        """How many there are to be found."""
        table = self._open_table()
        with _speak_plainly(self._folder, "read"):
            return 0 if table is None else table.count_rows()

    def find_dimensions(self) -> int | None:
        """How many numbers a vector has; None where there is none yet."""
        table = self._open_table()
        with _speak_plainly(self._folder, "read"):
            return None if table is None else table.schema.field("vector").type.list_size

    def find_nearest(self, vector: Sequence[float], *, limit: int) -> tuple[Neighbour, ...]:
        """The records whose vectors point most nearly the same way, the nearest first.

        All vectors are compared. Those that are equally near come by batch and id, so the answer is always the same.
        """
        table = self._open_table()
        if table is None:
            return ()
        with _speak_plainly(self._folder, "read"):
            rows = _search(table, vector, limit=limit)
        found = [_read_neighbour(row) for row in rows]
        found.sort(key=lambda each: (-each.score, each.batch, each.record_id))
        return tuple(found[:limit])

    @cached_property
    def _database(self) -> Any:  # noqa: ANN401 - as above
        """Connecting makes the folder."""
        return self._lancedb.connect(self._folder)

    def _open_table(self) -> Any:  # noqa: ANN401 - as above
        with _speak_plainly(self._folder, "read"):
            if self._name not in self._list_tables():
                return None
            return self._database.open_table(self._name)

    def _list_tables(self) -> list[str]:
        with _speak_plainly(self._folder, "read"):
            names: list[str] = []
            if not self._folder.is_dir():
                return names
            token = None
            while True:
                page = self._database.list_tables(page_token=token)
                names += page.tables
                token = page.page_token
                if not token:
                    return sorted(name for name in names if name.startswith(PREFIX))

    @contextmanager
    def _write(self) -> Generator[None]:
        """Writers wait for each other. LanceDB alone lets them race, and gives up on what lost too often.

        A table has to be opened inside: one that was opened before is older than what others have written since.
        """
        with _speak_plainly(self._folder, "written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / LOCK):
                yield


def open_vector_store(folder: Path, *, space: Sha256) -> VectorStore:
    """The store in a folder, which is made when something is put there; `space` is how its vectors are made.

    `ConfigError` where the package for it is not installed.
    """
    try:
        import lancedb
    except ImportError as exc:
        raise ConfigError(
            "Keeping vectors needs the package lancedb, which is not installed.",
            remedy="Run `pip install 'llm-assets[vectors]'`.",
        ) from exc
    return VectorStore(lancedb, folder, space)


def _search(table: Any, vector: Sequence[float], *, limit: int) -> list[dict[str, Any]]:  # noqa: ANN401
    """At least the nearest ones, and with the last of them all that are as near as it."""
    n_asked = 2 * limit
    while True:
        query = table.search(list(vector), vector_column_name="vector").distance_type("cosine")
        columns = ["batch", "record_id", "text", "payload", "_distance"]
        rows = query.select(columns).limit(n_asked).to_list()
        if len(rows) < n_asked or rows[-1]["_distance"] > rows[limit - 1]["_distance"]:
            return rows
        n_asked *= 2


def _read_neighbour(row: dict[str, Any]) -> Neighbour:
    return Neighbour(
        # Distances are 32-bit numbers; more digits than they have would differ from machine to machine.
        score=round(1 - row["_distance"], 6),
        batch=BatchKey(row["batch"]),
        record_id=row["record_id"],
        text=row["text"],
        payload=row["payload"],
    )


def _build_schema(n_dimensions: int) -> Any:  # noqa: ANN401 - pyarrow ships no types
    pa = cast("Any", import_module("pyarrow"))
    texts = ("batch", "record_id", "content_sha256", "text", "payload")
    kinds = {**dict.fromkeys(texts, pa.string()), "vector": pa.list_(pa.float32(), n_dimensions)}
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in kinds.items()])


def _build_row(batch: BatchKey, record: VectorRecord) -> dict[str, object]:
    return {
        "batch": batch,
        "record_id": record.record_id,
        "content_sha256": record.content_sha256,
        "text": record.text,
        "payload": record.payload,
        "vector": record.vector,
    }


def _quote(text: str) -> str:
    """A text in a condition of SQL."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _speak_plainly(folder: Path, verb: str) -> Generator[None]:
    """LanceDB raises `ValueError` and `RuntimeError` for trouble with its files."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as exc:
        reason = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise StorageError(
            f"The vector store {folder} cannot be {verb}: {reason}",
            remedy="Check the free space and the folder's permissions, or delete the folder: it is made again "
            "without any call.",
        ) from exc
