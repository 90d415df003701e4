"""What people decided, beside the calls: append-only, so that nobody's decision is ever written over.

Nothing that puts stages away touches it. The table is made when the first decision comes, also in a ledger of an
earlier version, whose programs leave it alone.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    make_url,
    select,
)

from llm_assets.core.corrections import CORRECTION_VERSION, Correction
from llm_assets.core.ids import Sha256, TaskName
from llm_assets.errors import StorageError
from llm_assets.gateways.ledger.engine import build_engine, open_transaction
from llm_assets.gateways.ledger.kept_text import KEPT_TEXT
from llm_assets.gateways.ledger.reading import open_reader, speak_plainly

metadata = MetaData()

corrections = Table(
    "corrections",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("format_version", Integer, nullable=False),
    Column("task", KEPT_TEXT, nullable=False),
    Column("batch", KEPT_TEXT, nullable=False),
    Column("key_kind", KEPT_TEXT, nullable=False),
    Column("item_key", KEPT_TEXT, nullable=False),
    Column("input_sha256", KEPT_TEXT, nullable=False),
    Column("decision_sha256", KEPT_TEXT, nullable=False),
    Column("source_sha256", KEPT_TEXT, nullable=False),
    Column("decided_at", KEPT_TEXT, nullable=False),
    Column("body", KEPT_TEXT, nullable=False),
    Index("corrections_by_item", "task", "key_kind", "item_key", "input_sha256"),
    Index("corrections_by_source", "task", "source_sha256"),
)
"""`body` is the whole correction as JSON; the columns before it are what it is found by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What became of the decisions of a workbook."""

    n_added: int
    n_known: int
    """Decisions that stood so already."""
    taken_in_at: datetime | None
    """When this very file was taken in before; None where it was not."""


class CorrectionStore:
    """All decisions of people, in the order in which they came."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, made: Sequence[Correction]) -> Addition:
        """Keep the decisions of one workbook of one task: all of them or, where that fails, none.

        A file that was taken in before adds nothing, also where others came after it. Of another file, a decision is
        left out that stands already as the latest on its item.
        """
        if not made:
            return Addition(n_added=0, n_known=0, taken_in_at=None)
        with speak_plainly("written"), open_transaction(self._engine) as connection:
            metadata.create_all(connection)
            earlier = _find_source(connection, made[0].task, made[0].source.sha256)
            if earlier is not None:
                return Addition(n_added=0, n_known=len(made), taken_in_at=earlier)
            new = [each for each in made if not _stands(connection, each)]
            if new:
                connection.execute(insert(corrections), [_build_row(each) for each in new])
        return Addition(n_added=len(new), n_known=len(made) - len(new), taken_in_at=None)

    def load(self, task: TaskName) -> tuple[Correction, ...]:
        """The decisions on items of a task, the earliest first; `StorageError` where a newer version wrote some."""
        with open_reader(self._engine) as connection:
            if not inspect(connection).has_table(corrections.name):
                return ()
            query = select(corrections.c.format_version, corrections.c.body)
            wanted = query.where(corrections.c.task == task).order_by(corrections.c.id)
            rows = connection.execute(wanted).all()
        newest = max((row.format_version for row in rows), default=CORRECTION_VERSION)
        if newest > CORRECTION_VERSION:
            raise StorageError(
                f"Corrections of the task {task!r} have format {newest}; "
                f"this version of llm-assets reads {CORRECTION_VERSION}.",
                remedy="Use the version of llm-assets that wrote them.",
            )
        return tuple(Correction.model_validate_json(row.body) for row in rows)


@contextmanager
def open_corrections(url: str) -> Generator[CorrectionStore]:
    """The decisions in the ledger at a database URL, for adding to them; the ledger is made where it is missing."""
    with speak_plainly("opened"):
        engine = build_engine(url)
    try:
        yield CorrectionStore(engine)
    finally:
        engine.dispose()


def load_corrections(url: str, task: TaskName) -> tuple[Correction, ...]:
    """The decisions on items of a task, the earliest first; none, and nothing is made, where there is no ledger."""
    with speak_plainly("opened"):
        address = make_url(url)
    is_file = address.get_backend_name() == "sqlite"
    if is_file and not Path(address.database or "").is_file():
        return ()
    with open_corrections(url) as store:
        return store.load(task)


def _find_source(connection: Connection, task: TaskName, sha256: Sha256) -> datetime | None:
    query = select(func.min(corrections.c.decided_at)).where(
        corrections.c.task == task, corrections.c.source_sha256 == sha256
    )
    found = connection.execute(query).scalar()
    return None if found is None else datetime.fromisoformat(found)


def _stands(connection: Connection, correction: Correction) -> bool:
    """Whether the latest decision on the same content of the same item says the same."""
    kind, key, input_sha256 = correction.item
    query = (
        select(corrections.c.decision_sha256)
        .where(
            corrections.c.task == correction.task,
            corrections.c.key_kind == kind,
            corrections.c.item_key == key,
            corrections.c.input_sha256 == input_sha256,
        )
        .order_by(corrections.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar() == correction.fingerprint_decision()


def _build_row(correction: Correction) -> dict[str, object]:
    return {
        "format_version": correction.format_version,
        "task": correction.task,
        "batch": correction.batch,
        "key_kind": correction.key_kind,
        "item_key": correction.key,
        "input_sha256": correction.input_sha256,
        "decision_sha256": correction.fingerprint_decision(),
        "source_sha256": correction.source.sha256,
        "decided_at": correction.decided_at.isoformat(),
        "body": correction.model_dump_json(),
    }
