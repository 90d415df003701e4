"""What the page over all batches of a task shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from llm_assets.core.batch_summary import BatchSummary, order_summaries
from llm_assets.core.charts import MAX_COLUMNS, ColumnChart, build_series_chart
from llm_assets.core.ids import TaskName
from llm_assets.core.llm_outputs import OUTCOMES, Outcome
from llm_assets.core.money import render_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexLine:
    """One batch in the table."""

    summary: BatchSummary
    outcomes: tuple[tuple[Outcome, int], ...]
    """Those that occurred."""
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIndex:
    """All batches, the latest first, and how they went over time."""

    task: TaskName
    n_items: int
    n_accepted: int
    n_tokens: int
    cost: str
    lines: tuple[IndexLine, ...]
    charts: tuple[ColumnChart, ...]


def build_report_index(task: TaskName, summaries: Sequence[BatchSummary]) -> ReportIndex:
    """Put the page together; the charts show the latest batches from left to right."""
    ordered = order_summaries(summaries)
    return ReportIndex(
        task=task,
        n_items=sum(each.n_items for each in ordered),
        n_accepted=sum(each.n_accepted for each in ordered),
        n_tokens=sum(each.n_tokens for each in ordered),
        cost=_render_total(ordered),
        lines=tuple(_build_line(each) for each in reversed(ordered)),
        charts=_build_charts(ordered),
    )


def _build_line(summary: BatchSummary) -> IndexLine:
    return IndexLine(
        summary=summary,
        outcomes=tuple((name, count) for name in OUTCOMES if (count := summary.outcomes.get(name))),
        cost=_render_cost(summary),
    )


def _build_charts(ordered: Sequence[BatchSummary]) -> tuple[ColumnChart, ...]:
    latest = ordered[-MAX_COLUMNS:]
    if len(latest) < 2:
        return ()

    def build(
        title: str, measure: Callable[[BatchSummary], float], show: Callable[[BatchSummary], str]
    ) -> ColumnChart:
        values = [measure(each) for each in latest]
        which = (
            f"the latest {len(latest):,} batches" if len(latest) < len(ordered) else "each batch"
        )
        return build_series_chart(
            values,
            [each.batch for each in latest],
            title=title,
            note=f"of {which}, the first answered on the left",
            shown=[show(each) for each in latest],
        )

    return (
        build("Cost", lambda each: float(each.cost_usd), _render_cost),
        build("Tokens", lambda each: each.n_tokens, lambda each: f"{each.n_tokens:,}"),
        build("Not accepted", _find_failed_share, lambda each: f"{_find_failed_share(each):.1%}"),
    )


def _find_failed_share(summary: BatchSummary) -> float:
    return summary.n_not_accepted / summary.n_items if summary.n_items else 0.0


def _render_cost(summary: BatchSummary) -> str:
    return render_cost(
        summary.cost_usd, n_calls=summary.n_calls, n_calls_unpriced=summary.n_calls_unpriced
    )


def _render_total(summaries: Sequence[BatchSummary]) -> str:
    return render_cost(
        sum((each.cost_usd for each in summaries), Decimal(0)),
        n_calls=sum(each.n_calls for each in summaries),
        n_calls_unpriced=sum(each.n_calls_unpriced for each in summaries),
    )
