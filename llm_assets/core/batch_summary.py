"""A batch in a few numbers, for a table of all batches."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.llm_outputs import Outcome
from llm_assets.core.report import Report
from llm_assets.core.report_page import ReportPage
from llm_assets.core.run_summary import find_quantile
from llm_assets.core.values import FrozenModel


class BatchSummary(FrozenModel):
    """What is kept beside a batch's report, so that the page over all batches need not read the batches."""

    format_version: Literal[1] = 1
    task: TaskName
    batch: BatchKey
    page: str
    """The file name of the batch's page."""
    is_partial: bool
    is_rehearsal: bool
    endpoint: str
    model: str
    n_items: int
    outcomes: dict[Outcome, int]
    n_calls: int
    n_calls_unpriced: int
    prompt_tokens: int
    completion_tokens: int
    tokens_are_approximate: bool
    cost_usd: Decimal
    """Of the calls whose price is known."""
    first_answer_at: datetime | None
    last_answer_at: datetime | None
    latency_p50_seconds: float | None
    latency_p95_seconds: float | None

    @property
    def n_accepted(self) -> int:
        """Items with an accepted output."""
        return self.outcomes.get("accepted", 0)

    @property
    def n_not_accepted(self) -> int:
        """All other items."""
        return self.n_items - self.n_accepted

    @property
    def n_tokens(self) -> int:
        """Sent and answered."""
        return self.prompt_tokens + self.completion_tokens


def build_batch_summary(report: Report, page: ReportPage, *, page_name: str) -> BatchSummary:
    """The batch's numbers from its report; the times are those on record."""
    outputs, totals = report.outputs, report.outputs.totals
    first_at, last_at = page.span or (None, None)
    return BatchSummary(
        task=report.config.task,
        batch=report.config.batch,
        page=page_name,
        is_partial=page.partial is not None,
        is_rehearsal=outputs.is_rehearsal,
        endpoint=outputs.endpoint,
        model=outputs.model,
        n_items=totals.n_items,
        outcomes={name: count for name, count in totals.outcomes.items() if count},
        n_calls=totals.n_calls,
        n_calls_unpriced=report.n_calls_unpriced,
        prompt_tokens=totals.prompt_tokens,
        completion_tokens=totals.completion_tokens,
        tokens_are_approximate=totals.tokens_are_approximate,
        cost_usd=totals.cost_usd,
        first_answer_at=first_at,
        last_answer_at=last_at,
        latency_p50_seconds=find_quantile(page.latencies_seconds, 0.5),
        latency_p95_seconds=find_quantile(page.latencies_seconds, 0.95),
    )


def order_summaries(summaries: Sequence[BatchSummary]) -> tuple[BatchSummary, ...]:
    """The batch that was answered first comes first; one without any answer comes last."""
    return tuple(
        sorted(
            summaries,
            key=lambda each: (
                each.first_answer_at is None,
                each.first_answer_at.isoformat() if each.first_answer_at else "",
                each.batch,
            ),
        )
    )
