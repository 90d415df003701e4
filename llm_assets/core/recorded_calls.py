"""What is known of calls once they are on record: the words sent, the words that came back, and how long it took."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_assets.core.calls import FaultKind, Role
from llm_assets.core.ids import CallKey, Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """One message as it was sent; its text is cut where other messages share a part of it."""

    role: Role
    parts: tuple[Sha256, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """What came back, good or not."""

    text: str | None
    refusal: str | None
    model: str
    """As the server named it."""
    latency_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFault:
    """A try that brought no answer."""

    kind: FaultKind
    http_status: int | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedCall:
    """One call with all of its tries."""

    messages: tuple[SentMessage, ...]
    answer: RecordedAnswer | None
    """The first one; None where all tries failed."""
    faults: tuple[RecordedFault, ...]
    """In the order in which they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsOnRecord:
    """Calls by their keys, and the text of every part of their messages, each once."""

    calls: Mapping[CallKey, TriedCall] = field(default_factory=dict[CallKey, TriedCall])
    parts: Mapping[Sha256, str] = field(default_factory=dict[Sha256, str])

    def join(self, message: SentMessage) -> str:
        """The message's text as it was sent."""
        return "".join(self.parts[part] for part in message.parts)
