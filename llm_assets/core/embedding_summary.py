"""What embedding a batch did, and what was found wrong with single records."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import ConfigDict

from llm_assets.core.ids import Sha256
from llm_assets.core.values import FROZEN_RECORD, FrozenModel


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProblem:
    """A record that has no vector."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    record_id: str
    reason: str
    """In a sentence."""


class EmbeddingSummary(FrozenModel):
    """The account of one batch: every record is embedded, reused or among the problems."""

    format_version: Literal[1] = 1
    endpoint: str
    model: str
    dimensions: int | None
    """How many numbers a vector has; None where no record has one."""
    is_rehearsal: bool
    """Whether the offline model made the vectors."""
    n_records: int
    n_embedded: int
    """Those whose text was sent this time."""
    n_reused: int
    """Those whose vector was on record or in the store already, or came with another record of the same text."""
    n_written: int
    """Those that were put into the store because they were not there as they are now."""
    n_removed: int
    """What was taken out of the store: records that are gone, or have no vector any more."""
    problems: tuple[RecordProblem, ...]
    """In the order of the records."""
    prompt_tokens: int
    """Of the texts sent."""
    cost_usd: Decimal
    """Of the texts sent whose price is known."""
    cost_is_known: bool
    contents_sha256: Sha256
    """Of what the store now holds of the batch and how it is made: equal where nothing has changed."""

    @property
    def batch(self) -> "EmbeddedBatch":
        """What the store now holds, without how it came about."""
        return EmbeddedBatch(
            endpoint=self.endpoint,
            model=self.model,
            dimensions=self.dimensions,
            is_rehearsal=self.is_rehearsal,
            n_records=self.n_records,
            problems=self.problems,
            contents_sha256=self.contents_sha256,
        )


class EmbeddedBatch(FrozenModel):
    """A batch in the vector store; the same records give the same."""

    format_version: Literal[1] = 1
    endpoint: str
    model: str
    dimensions: int | None
    """How many numbers a vector has; None where no record has one."""
    is_rehearsal: bool
    """Whether the offline model made the vectors."""
    n_records: int
    """Those with a problem included."""
    problems: tuple[RecordProblem, ...]
    contents_sha256: Sha256
