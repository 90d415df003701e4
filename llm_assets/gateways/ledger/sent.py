"""What was sent and what came back, for many calls at once."""

import json
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import Any, cast

from sqlalchemy import Connection, Engine, Row, select

from llm_assets.core.calls import Purpose, Role
from llm_assets.core.ids import BatchKey, CallKey, Sha256, TaskName
from llm_assets.core.recorded_calls import (
    CallsOnRecord,
    RecordedAnswer,
    RecordedFault,
    SentMessage,
    TriedCall,
)
from llm_assets.gateways.ledger import tables
from llm_assets.gateways.ledger.reading import KEYS_PER_QUERY, cut, open_reader

_CALL = tables.calls.c
_COLUMNS = (
    _CALL.call_key,
    _CALL.text,
    _CALL.refusal,
    _CALL.answering_model,
    _CALL.latency_seconds,
    _CALL.fault_kind,
    _CALL.http_status,
    _CALL.fault_message,
)
_OF_OUTPUTS: tuple[Purpose, ...] = ("generate", "judge")


class SentCalls:
    """Reads the calls on record word for word, and changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, keys: Iterable[CallKey]) -> CallsOnRecord:
        """The calls of these keys; those that are not on record are left out."""
        calls: dict[CallKey, TriedCall] = {}
        parts: dict[Sha256, str] = {}
        with open_reader(self._engine) as connection:
            for chunk in cut(dict.fromkeys(keys), KEYS_PER_QUERY):
                found = _load_calls(connection, chunk)
                calls |= found
                wanted = {
                    part
                    for call in found.values()
                    for message in call.messages
                    for part in message.parts
                }
                parts |= _load_parts(connection, wanted - parts.keys())
        return CallsOnRecord(calls=calls, parts=parts)

    def find_latest_time(self, *, task: TaskName, batch: BatchKey) -> str | None:
        """When the latest call for outputs of a batch was put on record, in ISO 8601 and UTC; None without any.

        What else is asked for a batch, such as vectors of its published records, comes after its outputs.
        """
        query = (
            select(_CALL.recorded_at)
            .where(_CALL.task == task, _CALL.batch == batch, _CALL.purpose.in_(_OF_OUTPUTS))
            .order_by(_CALL.id.desc())
            .limit(1)
        )
        with open_reader(self._engine) as connection:
            return connection.execute(query).scalar_one_or_none()


def _load_calls(connection: Connection, keys: list[CallKey]) -> dict[CallKey, TriedCall]:
    tries: dict[CallKey, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    query = select(*_COLUMNS).where(_CALL.call_key.in_(keys)).order_by(_CALL.id)
    for row in connection.execute(query):
        tries[CallKey(row.call_key)].append(row)
    bodies = select(tables.requests).where(tables.requests.c.call_key.in_(keys))
    messages = {
        CallKey(row.call_key): _read_messages(row.body) for row in connection.execute(bodies)
    }
    return {
        key: TriedCall(
            messages=messages.get(key, ()),
            answer=next((_read_answer(row) for row in rows if row.fault_kind is None), None),
            faults=tuple(_read_fault(row) for row in rows if row.fault_kind is not None),
        )
        for key, rows in tries.items()
    }


def _load_parts(connection: Connection, wanted: Iterable[Sha256]) -> dict[Sha256, str]:
    found: dict[Sha256, str] = {}
    for chunk in cut(wanted, KEYS_PER_QUERY):
        query = select(tables.parts).where(tables.parts.c.sha256.in_(chunk))
        found |= {Sha256(row.sha256): row.text for row in connection.execute(query)}
    return found


def _read_messages(body: str) -> tuple[SentMessage, ...]:
    """A turn with pictures has their parts after those of its text; each says which picture it stands for."""
    turns = cast("list[tuple[Role, *tuple[list[Sha256], ...]]]", json.loads(body)["messages"])
    return tuple(SentMessage(role=role, parts=tuple(chain(*kinds))) for role, *kinds in turns)


def _read_answer(row: Row[*tuple[Any, ...]]) -> RecordedAnswer:
    return RecordedAnswer(
        text=row.text,
        refusal=row.refusal,
        model=row.answering_model,
        latency_seconds=row.latency_seconds,
    )


def _read_fault(row: Row[*tuple[Any, ...]]) -> RecordedFault:
    return RecordedFault(
        kind=row.fault_kind, http_status=row.http_status, message=row.fault_message
    )
