"""What the ledger says of a call: who made it, what was sent, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from llm_assets.core.calls import FaultKind, Message, Purpose
from llm_assets.core.ids import BatchKey, CallKey, Sha256, TaskName, WorkId


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAnswer:
    """What came back, good or not."""

    text: str | None
    refusal: str | None
    finish_reason: str
    model: str
    """As the server named it."""
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    is_approximate: bool
    """Whether the token counts are ours and not the provider's."""
    cost_usd: Decimal | None
    """None where the price is not known."""
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFault:
    """Why nothing came back."""

    kind: FaultKind
    http_status: int | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """One request that left."""

    key: CallKey
    purpose: Purpose
    attempt: int
    task: TaskName
    """The task, batch and item that it was made for; others that ask the same share its answer."""
    batch: BatchKey
    work_id: WorkId
    run_id: str
    endpoint: str
    model: str
    """As it was asked for."""
    prompt_sha256: Sha256
    recorded_at: datetime
    latency_seconds: float
    request_id: str | None
    """The provider's name for it, where it gave one."""
    messages: tuple[Message, ...]
    result: LoggedAnswer | LoggedFault


def group_by_key(calls: Iterable[LoggedCall]) -> dict[CallKey, tuple[LoggedCall, ...]]:
    """The tries of each call in the order in which they were put on record."""
    grouped: dict[CallKey, tuple[LoggedCall, ...]] = {}
    for call in calls:
        grouped[call.key] = (*grouped.get(call.key, ()), call)
    return grouped
