"""What is asked of a model, what comes back, and what makes two calls the same call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import JsonValue

from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import CallKey, GroupContextId, RowId, Sha256, StepName, WorkId
from llm_assets.core.images import ImagePart

Role = Literal["system", "user", "assistant"]
Purpose = Literal["generate", "judge", "schema"]


class CallKind(NamedTuple):
    """Which calls go the same way: those of one step for one purpose."""

    step: StepName | None
    purpose: Purpose


FaultKind = Literal[
    "rate_limited",
    "server_error",
    "timed_out",
    "unreachable",
    "broken_body",
    "bad_key",
    "no_credit",
    "quota_exhausted",
    "forbidden",
    "unknown_model",
    "rejected_settings",
    "rejected_request",
]
"""What went wrong on the provider's side.

The first five pass; `rejected_request` is about one item; each of the others dooms every call of the run.
"""

KEY_VERSION = 1
"""Part of every call key; a change of the key's recipe must change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of the conversation that is sent."""

    role: Role
    content: str
    images: tuple[ImagePart, ...] = ()
    """What is shown after the text."""

    def build_identity(self) -> list[object]:
        """What of it shapes an answer."""
        if not self.images:
            return [self.role, self.content]
        return [self.role, self.content, [image.build_identity() for image in self.images]]


@dataclass(frozen=True, kw_only=True)
class CallSettings:
    """What all calls of a step share."""

    endpoint: str
    """The endpoint's address, so that renaming it in a file changes no call."""
    model: str
    response_format: Mapping[str, JsonValue] | None
    parameters: Mapping[str, JsonValue]
    """Temperature and the like, as they are sent."""
    token_parameter: str
    """What the endpoint calls the cap on an answer's length."""

    @cached_property
    def fingerprint(self) -> Sha256:
        """Of everything here, so that a call key hashes it once and not per call."""
        return fingerprint([self.endpoint, self.model, self.response_format, self.parameters])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """One call that could be sent."""

    settings: CallSettings
    messages: tuple[Message, ...]
    max_output_tokens: int | None
    attempt: int
    """Counted from 1; a later attempt is another call, even with the same words."""
    epoch: int
    """How often a person forced this call anew; 0 before the first time."""
    occurrence: int
    """0, or the number of this row among its equals where each of them gets an answer of its own."""

    @property
    def has_images(self) -> bool:
        """Whether there is anything to be seen."""
        return any(message.images for message in self.messages)

    def build_key(self) -> CallKey:
        """The hash of everything that shapes the answer, and of nothing else."""
        parts = [
            KEY_VERSION,
            self.settings.fingerprint,
            [message.build_identity() for message in self.messages],
            # The cap's name counts where there is a cap.
            self.max_output_tokens and [self.settings.token_parameter, self.max_output_tokens],
            self.attempt,
            self.epoch,
            self.occurrence,
        ]
        return CallKey(fingerprint(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens one call was charged for."""

    prompt_tokens: int
    completion_tokens: int
    """Reasoning tokens are part of it."""
    cached_tokens: int = 0
    """The share of the prompt tokens that the provider read from its cache."""
    reasoning_tokens: int = 0
    is_approximate: bool = False
    """Whether the provider gave no count and ours stands in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model answered, good or not. It was paid for, so its call is never sent again."""

    key: CallKey
    text: str | None
    refusal: str | None
    finish_reason: str
    model: str
    """As the server named it."""
    usage: Usage
    cost_usd: Decimal | None
    """None where the price is not known."""
    answered_at: datetime
    """By the server's own clock where it tells, in UTC."""
    latency_seconds: float
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A call that brought no answer."""

    kind: FaultKind
    message: str
    http_status: int | None = None
    retry_after_seconds: float | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unsendable:
    """A call that was not sent, because what it was to send is not there any more."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrigin:
    """What a call was made for and from, so that a later plan can say what has changed since."""

    work_id: WorkId
    row_id: RowId
    """The item's first row."""
    group_context_id: GroupContextId | None
    prompt_sha256: Sha256
    schema_sha256: Sha256
    settings_sha256: Sha256
    """Of the model, the endpoint and the parameters."""
    step: StepName | None = None
    """None where the task has one kind of call."""
    upstream_sha256: Sha256 | None = None
    """Of what earlier steps answered; None for a step that comes after no other."""
