"""Everything on record of a few calls: of those behind an output, or of those ever made for an item."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, Row, select

from llm_assets.core.call_log import LoggedAnswer, LoggedCall, LoggedFault
from llm_assets.core.calls import Message
from llm_assets.core.ids import BatchKey, CallKey, Sha256, TaskName, WorkId
from llm_assets.core.recorded_calls import CallsOnRecord
from llm_assets.gateways.ledger import tables
from llm_assets.gateways.ledger.reading import KEYS_PER_QUERY, cut, open_reader
from llm_assets.gateways.ledger.sent import SentCalls

_CALL = tables.calls.c


class CallLog:
    """Reads the calls on record, and changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load_calls(self, keys: Iterable[CallKey]) -> tuple[LoggedCall, ...]:
        """Every try of these calls in the order in which they were made, whatever they were made for."""
        wanted = list(dict.fromkeys(keys))
        rows: list[Row[Any]] = []
        with open_reader(self._engine) as connection:
            for chunk in cut(wanted, KEYS_PER_QUERY):
                rows += connection.execute(
                    select(tables.calls).where(_CALL.call_key.in_(chunk))
                ).all()
        sent = SentCalls(self._engine).load(wanted)
        return tuple(_read_call(row, sent) for row in sorted(rows, key=lambda row: row.id))

    def load_item_calls(self, task: TaskName, work_id: WorkId) -> tuple[LoggedCall, ...]:
        """Every call that was made for an item, in any batch, with any prompt."""
        query = select(tables.calls).where(_CALL.task == task, _CALL.work_id == work_id)
        with open_reader(self._engine) as connection:
            rows = connection.execute(query.order_by(_CALL.id)).all()
        sent = SentCalls(self._engine).load(CallKey(row.call_key) for row in rows)
        return tuple(_read_call(row, sent) for row in rows)

    def list_work_ids(self, task: TaskName, beginning: str) -> tuple[WorkId, ...]:
        """The items of a task whose names begin so and that any call was made for, sorted."""
        # LIKE takes a letter and its capital for the same in SQLite.
        is_like = _CALL.work_id.startswith(beginning, autoescape=True)
        query = select(_CALL.work_id).where(_CALL.task == task, is_like).distinct()
        with open_reader(self._engine) as connection:
            found = connection.execute(query).scalars().all()
        return tuple(WorkId(each) for each in sorted(found) if each.startswith(beginning))


def _read_call(row: Row[Any], sent: CallsOnRecord) -> LoggedCall:
    key = CallKey(row.call_key)
    return LoggedCall(
        key=key,
        purpose=row.purpose,
        attempt=row.attempt,
        task=TaskName(row.task),
        batch=BatchKey(row.batch),
        work_id=WorkId(row.work_id),
        run_id=row.run_id,
        endpoint=row.endpoint,
        model=row.model,
        prompt_sha256=Sha256(row.prompt_sha256),
        recorded_at=datetime.fromisoformat(row.recorded_at),
        latency_seconds=row.latency_seconds,
        request_id=row.request_id,
        messages=tuple(
            Message(role=message.role, content=sent.join(message))
            for message in sent.calls[key].messages
        ),
        result=_read_answer(row) if row.fault_kind is None else _read_fault(row),
    )


def _read_answer(row: Row[Any]) -> LoggedAnswer:
    return LoggedAnswer(
        text=row.text,
        refusal=row.refusal,
        finish_reason=row.finish_reason,
        model=row.answering_model,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cached_tokens=row.cached_tokens,
        is_approximate=row.is_approximate,
        cost_usd=None if row.cost_usd is None else Decimal(row.cost_usd),
        answered_at=datetime.fromisoformat(row.answered_at),
    )


def _read_fault(row: Row[Any]) -> LoggedFault:
    return LoggedFault(kind=row.fault_kind, http_status=row.http_status, message=row.fault_message)
