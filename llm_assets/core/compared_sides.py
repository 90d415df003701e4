"""What is compared: two sides, how much each is and took, and what each was made with."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import BatchKey
from llm_assets.core.item_pairs import ComparedBatch
from llm_assets.core.llm_outputs import LLMOutputsMeta, Outcome
from llm_assets.core.values import FrozenModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSide:
    """One of the two, as it is stored."""

    name: str
    batches: tuple[tuple[ComparedBatch, LLMOutputsMeta], ...]
    """Side by side with those of the other."""
    batches_alone: tuple[BatchKey, ...] = ()
    """Batches that the other side does not have."""


class Side(FrozenModel):
    """One of the two, over all batches compared."""

    name: str
    """As the person called it."""
    batches: tuple[BatchKey, ...]
    n_items: int
    outcomes: dict[Outcome, int]
    n_calls: int
    n_tokens: int
    tokens_are_approximate: bool
    cost_usd: Decimal
    """Of the calls whose price is known."""
    n_calls_unpriced: int
    is_rehearsal: bool
    """Whether the offline model answered anywhere."""


class MadeWith(FrozenModel):
    """Something the two sides were made with, and whether it is the same."""

    what: str
    a: str
    b: str

    @property
    def is_same(self) -> bool:
        """Whether both sides agree."""
        return self.a == self.b


def build_side(side: ComparedSide) -> Side:
    """Add a side up."""
    totals = [meta.totals for _, meta in side.batches]
    outcomes: Counter[Outcome] = Counter()
    for total in totals:
        outcomes.update(total.outcomes)
    return Side(
        name=side.name,
        batches=tuple(batch.batch for batch, _ in side.batches),
        n_items=sum(total.n_items for total in totals),
        outcomes={outcome: count for outcome, count in outcomes.items() if count},
        n_calls=sum(total.n_calls for total in totals),
        n_tokens=sum(total.prompt_tokens + total.completion_tokens for total in totals),
        tokens_are_approximate=any(total.tokens_are_approximate for total in totals),
        cost_usd=sum((total.cost_usd for total in totals), Decimal(0)),
        n_calls_unpriced=sum(total.n_calls_unpriced for total in totals),
        is_rehearsal=any(meta.is_rehearsal for _, meta in side.batches),
    )


def list_made_with(a: ComparedSide, b: ComparedSide) -> Iterator[MadeWith]:
    """What there is on any side, whether it is the same or not; several values of one side stand with commas between."""
    for what, read in _MADE_WITH.items():
        of_a, of_b = (
            ", ".join(dict.fromkeys(text for _, meta in side.batches if (text := read(meta))))
            for side in (a, b)
        )
        if of_a or of_b:
            yield MadeWith(what=what, a=of_a, b=of_b)


_MADE_WITH: dict[str, Callable[[LLMOutputsMeta], str | None]] = {
    "Endpoint": lambda meta: meta.endpoint,
    "Model": lambda meta: meta.model,
    "Parameters": lambda meta: render_json(meta.parameters),
    "Structured output": lambda meta: meta.structured_output,
    "Prompt": lambda meta: meta.prompt_path,
    "Prompt SHA-256": lambda meta: meta.prompt_sha256,
    "Schema SHA-256": lambda meta: meta.schema_sha256,
    "Judge's endpoint": lambda meta: meta.judge_endpoint,
    "Judge's model": lambda meta: meta.judge_model,
    "Judge's prompt": lambda meta: meta.judge_prompt_path,
    "Judge's prompt SHA-256": lambda meta: meta.judge_prompt_sha256,
}
