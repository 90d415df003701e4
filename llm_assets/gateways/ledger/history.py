"""What earlier calls were made from and what they took: the questions of plans and accounts."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, and_, func, select

from llm_assets.core.calls import Purpose
from llm_assets.core.ids import BatchKey, CallKey, RowId, Sha256, StepName, TaskName, WorkId
from llm_assets.core.plan_reasons import RecordedCall
from llm_assets.core.spend import Spend, SpendKey, add_spends
from llm_assets.core.token_forecast import PastAnswer
from llm_assets.gateways.ledger import tables
from llm_assets.gateways.ledger.reading import KEYS_PER_QUERY, cut, open_reader

_CALL = tables.calls.c
_NAMES: dict[SpendKey, ColumnElement[str]] = {
    "day": func.substr(_CALL.recorded_at, 1, len("2026-03-01")),
    "task": _CALL.task,
    "step": _CALL.task.concat(func.coalesce("/" + _CALL.step, "")),
    "run": _CALL.run_id,
    "model": _CALL.endpoint.concat("/").concat(_CALL.model),
}


class History:
    """Reads the calls on record, and changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find_latest_calls(
        self,
        work_ids: Iterable[WorkId],
        *,
        task: TaskName,
        purpose: Purpose,
        step: StepName | None = None,
    ) -> dict[WorkId, RecordedCall]:
        """The latest call of each of these items in a step of a task, answered or not."""
        found: dict[WorkId, RecordedCall] = {}
        with open_reader(self._engine) as connection:
            for chunk in cut(work_ids, KEYS_PER_QUERY):
                latest = (
                    select(func.max(_CALL.id))
                    .where(_CALL.task == task, _CALL.work_id.in_(chunk), _CALL.purpose == purpose)
                    .where(_CALL.step.is_not_distinct_from(step))
                    .group_by(_CALL.work_id)
                )
                for row in connection.execute(select(*_ORIGIN).where(_CALL.id.in_(latest))):
                    found[WorkId(row.work_id)] = _read_recorded_call(row)
        return found

    def find_rows(
        self,
        row_ids: Collection[RowId],
        *,
        task: TaskName,
        batch: BatchKey,
        step: StepName | None = None,
    ) -> frozenset[RowId]:
        """Those of the rows that any call of the batch was ever made for in a step."""
        wanted = frozenset(row_ids)
        if not wanted:
            return wanted
        query = select(_CALL.row_id).where(_CALL.task == task, _CALL.batch == batch).distinct()
        query = query.where(_CALL.step.is_not_distinct_from(step))
        with open_reader(self._engine) as connection:
            rows = connection.execute(query)
            return frozenset(RowId(row.row_id) for row in rows if row.row_id in wanted)

    def list_past_answers(
        self,
        *,
        purpose: Purpose,
        model: str,
        limit: int,
        task: TaskName | None = None,
        step: StepName | None = None,
    ) -> tuple[PastAnswer, ...]:
        """What the latest answers of a model took, the latest first: those in one step of a task, or all."""
        columns = (
            _CALL.call_key,
            _CALL.settings_sha256,
            _CALL.prompt_tokens,
            _CALL.cached_tokens,
            _CALL.completion_tokens,
            _CALL.attempt,
        )
        wanted = and_(_CALL.purpose == purpose, _CALL.model == model, _CALL.fault_kind.is_(None))
        query = select(*columns).where(wanted).order_by(_CALL.id.desc()).limit(limit)
        if task is not None:
            # An expression that no index serves: from the newest row back, 320,000 calls take a millisecond where
            # there are some and 80 ms where there are none; through the index, all of them are sorted in 430 ms.
            query = query.where(_CALL.task.concat("") == task)
            query = query.where(_CALL.step.is_not_distinct_from(step))
        with open_reader(self._engine) as connection:
            return tuple(_read_past_answer(row) for row in connection.execute(query))

    def sum_spend(self, by: SpendKey, *, since: date | None) -> tuple[Spend, ...]:
        """The exact sums over all calls from a day on, in UTC, in the order in which the first of each came.

        Calls of the same cost are counted by the database and multiplied here, because SQL knows no exact decimals
        of any length.
        """
        name = _NAMES[by].label("name")
        columns = (
            name,
            _CALL.fault_kind,
            _CALL.cost_usd,
            func.count().label("n_calls"),
            func.sum(_CALL.prompt_tokens).label("prompt_tokens"),
            func.sum(_CALL.cached_tokens).label("cached_tokens"),
            func.sum(_CALL.completion_tokens).label("completion_tokens"),
            func.min(_CALL.recorded_at).label("first_at"),
        )
        query = select(*columns).group_by(name, _CALL.fault_kind, _CALL.cost_usd)
        if since is not None:
            query = query.where(_CALL.recorded_at >= since.isoformat())
        parts: dict[str, list[Spend]] = defaultdict(list)
        with open_reader(self._engine) as connection:
            for row in connection.execute(query):
                parts[row.name].append(_read_spend(row))
        sums = [add_spends(key, spends) for key, spends in parts.items()]
        return tuple(sorted(sums, key=lambda spend: (spend.first_at, spend.name)))


_ORIGIN = (
    _CALL.work_id,
    _CALL.group_context_id,
    _CALL.prompt_sha256,
    _CALL.schema_sha256,
    _CALL.settings_sha256,
    _CALL.upstream_sha256,
    _CALL.fault_kind,
)


def _read_recorded_call(row: Row[*tuple[Any, ...]]) -> RecordedCall:
    return RecordedCall(
        group_context_id=row.group_context_id,
        prompt_sha256=Sha256(row.prompt_sha256),
        schema_sha256=Sha256(row.schema_sha256),
        settings_sha256=Sha256(row.settings_sha256),
        upstream_sha256=row.upstream_sha256,
        is_answered=row.fault_kind is None,
    )


def _read_past_answer(row: Row[*tuple[Any, ...]]) -> PastAnswer:
    return PastAnswer(
        key=CallKey(row.call_key),
        settings_sha256=Sha256(row.settings_sha256),
        prompt_tokens=row.prompt_tokens,
        cached_tokens=row.cached_tokens,
        completion_tokens=row.completion_tokens,
        attempt=row.attempt,
    )


def _read_spend(row: Row[*tuple[Any, ...]]) -> Spend:
    """The sums over calls that ended alike and cost the same."""
    n_calls = row.n_calls
    is_answer = row.fault_kind is None
    # A provider may charge for an answer that we stopped waiting for; it charges for no other fault.
    may_be_charged = is_answer or row.fault_kind == "timed_out"
    is_priced = row.cost_usd is not None
    return Spend(
        name=row.name,
        n_answers=n_calls if is_answer else 0,
        n_faults=0 if is_answer else n_calls,
        n_unpriced=n_calls if may_be_charged and not is_priced else 0,
        n_maybe_charged=n_calls if may_be_charged else 0,
        prompt_tokens=int(row.prompt_tokens or 0),
        cached_tokens=int(row.cached_tokens or 0),
        completion_tokens=int(row.completion_tokens or 0),
        cost_usd=Decimal(row.cost_usd) * n_calls if is_priced else Decimal(0),
        first_at=row.first_at,
    )
