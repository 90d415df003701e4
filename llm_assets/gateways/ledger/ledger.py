"""Which calls were answered already, and how a new answer gets on record before anything is made of it."""

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from llm_assets.core.calls import Answer, Message, Role
from llm_assets.core.ids import CallKey
from llm_assets.errors import StorageError
from llm_assets.gateways.ledger import tables
from llm_assets.gateways.ledger.call_log import CallLog
from llm_assets.gateways.ledger.engine import build_engine, open_transaction
from llm_assets.gateways.ledger.history import History
from llm_assets.gateways.ledger.image_records import parse_image_part
from llm_assets.gateways.ledger.reading import (
    KEYS_PER_QUERY,
    cut,
    open_reader,
    speak_plainly,
)
from llm_assets.gateways.ledger.records import (
    CallRecord,
    SqlRow,
    build_call_row,
    build_request_rows,
    read_answer,
)
from llm_assets.gateways.ledger.sent import SentCalls
from llm_assets.gateways.ledger.spending import Reservation, release, try_to_reserve
from llm_assets.gateways.ledger.tables import create_tables
from llm_assets.gateways.ledger.writer import GroupCommitWriter


class Ledger:
    """The record of all calls. Append-only: nothing here changes or removes a row."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
        self._insert_once = {
            table: dialect.insert(table).on_conflict_do_nothing()
            for table in (tables.requests, tables.parts)
        }
        self._insert_epoch = dialect.insert(tables.epochs)

    def find_answers(self, keys: Iterable[CallKey]) -> dict[CallKey, Answer]:
        """The answers on record for these calls; of several to the same call, the first one."""
        found: dict[CallKey, Answer] = {}
        query = (
            select(tables.calls)
            .where(tables.calls.c.fault_kind.is_(None))
            .order_by(tables.calls.c.id.desc())
        )
        with self._read() as connection:
            for chunk in cut(keys, KEYS_PER_QUERY):
                rows = connection.execute(query.where(tables.calls.c.call_key.in_(chunk)))
                found |= {CallKey(row.call_key): read_answer(row) for row in rows}
        return found

    def open_writer(self) -> GroupCommitWriter[CallRecord]:
        """A writer whose `put` returns once the record would survive a power cut."""
        return GroupCommitWriter(self._write_records)

    def has_epochs(self) -> bool:
        """Whether anything was ever forced."""
        with self._read() as connection:
            return connection.execute(select(tables.epochs.c.call_key).limit(1)).first() is not None

    def find_epochs(self, keys: Iterable[CallKey]) -> dict[CallKey, int]:
        """How often items were forced anew, by the key of their first call in epoch 0."""
        found: dict[CallKey, int] = {}
        with self._read() as connection:
            for chunk in cut(keys, KEYS_PER_QUERY):
                query = select(tables.epochs).where(tables.epochs.c.call_key.in_(chunk))
                found |= {CallKey(row.call_key): row.epoch for row in connection.execute(query)}
        return found

    def raise_epochs(self, keys: Iterable[CallKey]) -> dict[CallKey, int]:
        """Start a new epoch for these items and return it; on record before anything is asked."""
        unique = tuple(dict.fromkeys(keys))
        raised = self._insert_epoch.on_conflict_do_update(
            index_elements=["call_key"], set_={"epoch": tables.epochs.c.epoch + 1}
        )
        with self._write() as connection:
            for chunk in cut(unique, KEYS_PER_QUERY):
                connection.execute(raised, [{"call_key": key, "epoch": 1} for key in chunk])
        return self.find_epochs(unique)

    def load_messages(self, key: CallKey) -> tuple[Message, ...]:
        """The messages a call sent, whatever has become of its prompt file; `StorageError` if unknown.

        Of a picture it has the hash, the kind and the size, and not the bytes.
        """
        with self._read() as connection:
            query = select(tables.requests.c.body).where(tables.requests.c.call_key == key)
            body = connection.execute(query).scalar_one_or_none()
            if body is None:
                raise StorageError(f"The ledger has no call {key!r}.")
            turns = cast("list[tuple[Role, *tuple[list[str], ...]]]", json.loads(body)["messages"])
            wanted = {sha256 for _, *kinds in turns for pieces in kinds for sha256 in pieces}
            query = select(tables.parts).where(tables.parts.c.sha256.in_(wanted))
            texts = {row.sha256: row.text for row in connection.execute(query)}
        return tuple(
            Message(
                role=role,
                content="".join(texts[sha256] for sha256 in pieces),
                images=tuple(parse_image_part(texts[sha256]) for kind in images for sha256 in kind),
            )
            for role, pieces, *images in turns
        )

    def try_to_reserve(
        self,
        *,
        run_id: str,
        reserved_usd: Decimal,
        cap_usd: Decimal,
        now: datetime,
        expires_at: datetime,
    ) -> Reservation:
        """Reserve what a run may spend of the day's cap, in all, if there is room for it."""
        with self._write() as connection:
            return try_to_reserve(
                connection,
                run_id=run_id,
                reserved_usd=reserved_usd,
                cap_usd=cap_usd,
                now=now,
                expires_at=expires_at,
            )

    def release(self, *, run_id: str, kept_usd: Decimal, now: datetime) -> None:
        """Give back what a run has reserved and not spent; `kept_usd` stays set aside until the day is over."""
        with self._write() as connection:
            release(connection, run_id=run_id, kept_usd=kept_usd, now=now)

    @property
    def history(self) -> History:
        """What calls were made from and what they took, for plans and accounts."""
        return History(self._engine)

    @property
    def sent_calls(self) -> SentCalls:
        """What was sent and answered, word for word, for reports."""
        return SentCalls(self._engine)

    @property
    def call_log(self) -> CallLog:
        """Everything about a few calls, to trace where an output comes from."""
        return CallLog(self._engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _write_records(self, records: Sequence[CallRecord]) -> None:
        """Write a group of calls in one durable transaction."""
        requests: list[SqlRow] = []
        parts: dict[object, SqlRow] = {}
        for record in records:
            rows = build_request_rows(record)
            requests.append(rows.request)
            parts |= {part["sha256"]: part for part in rows.parts}
        with self._write() as connection:
            connection.execute(insert(tables.calls), [build_call_row(record) for record in records])
            connection.execute(self._insert_once[tables.requests], requests)
            connection.execute(self._insert_once[tables.parts], list(parts.values()))

    def _read(self) -> AbstractContextManager[Connection]:
        return open_reader(self._engine)

    @contextmanager
    def _write(self) -> Generator[Connection]:
        with speak_plainly("written"), open_transaction(self._engine) as connection:
            yield connection


@contextmanager
def open_ledger(url: str) -> Generator[Ledger]:
    """Open the ledger at a database URL, making it where it is missing.

    An answer on record survives a power cut: answers come by the hundred a second at most, and durable group
    commits take tens of thousands.
    """
    with speak_plainly("opened"):
        engine = build_engine(url)
    try:
        with speak_plainly("opened"):
            create_tables(engine)
        yield Ledger(engine)
    finally:
        engine.dispose()
