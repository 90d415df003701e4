"""The few numbers of a batch that a person looks for first."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from llm_assets.core.assessment_text import render_interval, render_score
from llm_assets.core.money import render_cost, render_usd
from llm_assets.core.report import Report
from llm_assets.core.run_summary import find_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that a person looks for first."""

    name: str
    value: str
    note: str


def build_figures(report: Report, latencies: Sequence[float]) -> tuple[Figure, ...]:
    """What came of the batch, what it cost and how long answers took, in seconds; without any times, no such figure."""
    totals = report.outputs.totals
    n_accepted = totals.outcomes.get("accepted", 0)
    n_others = totals.n_items - n_accepted
    share = (
        f"{n_accepted / totals.n_items:.1%} of {totals.n_items:,} items"
        if totals.n_items
        else "no items"
    )
    about = "about " if totals.tokens_are_approximate else ""
    cached = f", {totals.cached_tokens:,} of them cached" if totals.cached_tokens else ""
    return (
        Figure(name="Accepted", value=f"{n_accepted:,}", note=share),
        Figure(
            name="Not accepted",
            value=f"{n_others:,}",
            note=_count_causes(report) if n_others else "nothing is missing",
        ),
        *_build_score_figure(report),
        *_build_gate_figure(report),
        Figure(name="Cost", value=_render_cost(report), note=_render_unit_cost(report)),
        Figure(
            name="Tokens",
            value=f"{about}{totals.prompt_tokens + totals.completion_tokens:,}",
            note=f"{totals.prompt_tokens:,} sent{cached}, {totals.completion_tokens:,} answered",
        ),
        Figure(
            name="Calls",
            value=f"{totals.n_calls:,}",
            note=f"{report.n_items_retried:,} items took more than one attempt",
        ),
        *_build_latency_figure(latencies),
    )


def _build_score_figure(report: Report) -> tuple[Figure, ...]:
    if report.assessment is None:
        return ()
    total = report.assessment.total
    sure = f"95% interval {render_interval(total)}, of" if total.interval else "of"
    note = f"{sure} {total.n_scored:,} items with expected values"
    return (Figure(name="Score", value=render_score(total), note=note),)


def _build_gate_figure(report: Report) -> tuple[Figure, ...]:
    gate = report.gate
    if gate is None:
        return ()
    note = f"{gate.n_published_by_people:,} by people; {gate.routes['review_queue']:,} more wait for one"
    return (Figure(name="Published", value=f"{gate.routes['published']:,}", note=note),)


def _count_causes(report: Report) -> str:
    n_causes = len(report.causes) + report.n_causes_left_out
    return "for one cause" if n_causes == 1 else f"for {n_causes:,} causes"


def _render_cost(report: Report) -> str:
    totals = report.outputs.totals
    return render_cost(
        totals.cost_usd, n_calls=totals.n_calls, n_calls_unpriced=report.n_calls_unpriced
    )


def _render_unit_cost(report: Report) -> str:
    totals = report.outputs.totals
    n_accepted = totals.outcomes.get("accepted", 0)
    if report.n_calls_unpriced or not n_accepted or not totals.cost_usd:
        return (
            "exact sum over all calls"
            if not report.n_calls_unpriced
            else "not all prices are known"
        )
    each = (totals.cost_usd / n_accepted).quantize(Decimal("0.0000001"))
    return f"{render_usd(each)} for each accepted item"


def _build_latency_figure(latencies: Sequence[float]) -> tuple[Figure, ...]:
    median, most = find_quantile(latencies, 0.5), find_quantile(latencies, 0.95)
    if median is None or most is None:
        return ()
    return (
        Figure(
            name="Time to answer",
            value=_render_seconds(median),
            note=f"in the middle; 95% within {_render_seconds(most)}, all within {_render_seconds(max(latencies))}",
        ),
    )


def _render_seconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else f"{seconds:.1f} s"
