"""How calls become rows of the ledger, and rows become answers again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sqlalchemy import Row

from llm_assets.core.calls import Answer, CallOrigin, CallRequest, Fault, Message, Purpose, Usage
from llm_assets.core.fingerprint import fingerprint_text, render_json
from llm_assets.core.ids import BatchKey, CallKey, TaskName
from llm_assets.core.message_parts import split_shared
from llm_assets.gateways.ledger.image_records import render_image_part
from llm_assets.gateways.ledger.tables import PICO

SqlRow = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One sent call and what came of it."""

    key: CallKey
    request: CallRequest
    purpose: Purpose
    shared_texts: tuple[str, ...]
    """Longer texts that other calls' messages hold too."""
    task: TaskName
    batch: BatchKey
    run_id: str
    origin: CallOrigin
    endpoint: str
    recorded_at: datetime
    latency_seconds: float
    result: Answer | Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRows:
    """What was sent, ready to be stored."""

    request: SqlRow
    parts: tuple[SqlRow, ...]


def build_call_row(record: CallRecord) -> SqlRow:
    """The row of `calls` for one sent call."""
    result = record.result
    row: dict[str, str | int | float | bool | None] = {
        "call_key": record.key,
        "recorded_at": record.recorded_at.isoformat(),
        "task": record.task,
        "batch": record.batch,
        "run_id": record.run_id,
        "work_id": record.origin.work_id,
        "row_id": record.origin.row_id,
        "group_context_id": record.origin.group_context_id,
        "prompt_sha256": record.origin.prompt_sha256,
        "schema_sha256": record.origin.schema_sha256,
        "settings_sha256": record.origin.settings_sha256,
        "step": record.origin.step,
        "upstream_sha256": record.origin.upstream_sha256,
        "purpose": record.purpose,
        "attempt": record.request.attempt,
        "endpoint": record.endpoint,
        "model": record.request.settings.model,
        "latency_seconds": record.latency_seconds,
        "request_id": result.request_id,
    }
    is_answer = isinstance(result, Answer)
    row |= _build_answer_columns(result if is_answer else None)
    row |= _build_fault_columns(None if is_answer else result)
    return row


def build_request_rows(record: CallRecord) -> RequestRows:
    """The rows of `requests` and `parts` for one sent call."""
    request = record.request
    texts: dict[str, str] = {}

    def store(text: str) -> str:
        sha256 = fingerprint_text(text)
        texts[sha256] = text
        return sha256

    settings = request.settings
    shape = render_json(
        {
            "endpoint": settings.endpoint,
            "model": settings.model,
            "response_format": settings.response_format,
            "parameters": settings.parameters,
        }
    )
    body = {
        "settings": store(shape),
        "messages": [
            [message.role, *_list_pieces(message, record.shared_texts, store)]
            for message in request.messages
        ],
        "max_output_tokens": request.max_output_tokens,
        "attempt": request.attempt,
        "epoch": request.epoch,
        "occurrence": request.occurrence,
    }
    return RequestRows(
        request={"call_key": record.key, "body": render_json(body)},
        parts=tuple({"sha256": sha256, "text": text} for sha256, text in texts.items()),
    )


def _list_pieces(
    message: Message, shared_texts: tuple[str, ...], store: Callable[[str], str]
) -> list[list[str]]:
    """The hashes of a message's texts, and behind them those of its pictures where it has any."""
    texts = [store(text) for text in split_shared(message.content, shared_texts)]
    images = [store(render_image_part(part)) for part in message.images]
    return [texts, images] if images else [texts]


def count_picousd(cost_usd: Decimal) -> int:
    """Dollars as a whole number that a database adds up exactly; rounded up, so that no cap is passed."""
    return int((cost_usd * PICO).to_integral_value(ROUND_CEILING))


def read_answer(row: Row[Any]) -> Answer:
    """The answer in a row of `calls` that holds one."""
    return Answer(
        key=CallKey(row.call_key),
        text=row.text,
        refusal=row.refusal,
        finish_reason=row.finish_reason,
        model=row.answering_model,
        usage=Usage(
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            cached_tokens=row.cached_tokens,
            reasoning_tokens=row.reasoning_tokens,
            is_approximate=row.is_approximate,
        ),
        cost_usd=None if row.cost_usd is None else Decimal(row.cost_usd),
        answered_at=datetime.fromisoformat(row.answered_at),
        latency_seconds=row.latency_seconds,
        request_id=row.request_id,
    )


def _build_answer_columns(answer: Answer | None) -> SqlRow:
    """The columns of an answer; all of them None for a fault, since every row names every column."""
    if answer is None:
        return dict.fromkeys(_ANSWER_COLUMNS)
    return {
        "text": answer.text,
        "refusal": answer.refusal,
        "finish_reason": answer.finish_reason,
        "answering_model": answer.model,
        "prompt_tokens": answer.usage.prompt_tokens,
        "completion_tokens": answer.usage.completion_tokens,
        "cached_tokens": answer.usage.cached_tokens,
        "reasoning_tokens": answer.usage.reasoning_tokens,
        "is_approximate": answer.usage.is_approximate,
        "cost_usd": None if answer.cost_usd is None else str(answer.cost_usd),
        "cost_picousd": None if answer.cost_usd is None else count_picousd(answer.cost_usd),
        "answered_at": answer.answered_at.isoformat(),
    }


_ANSWER_COLUMNS = (
    "text",
    "refusal",
    "finish_reason",
    "answering_model",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "is_approximate",
    "cost_usd",
    "cost_picousd",
    "answered_at",
)


def _build_fault_columns(fault: Fault | None) -> SqlRow:
    return {
        "fault_kind": fault.kind if fault else None,
        "http_status": fault.http_status if fault else None,
        "fault_message": fault.message if fault else None,
    }
