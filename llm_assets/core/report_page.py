"""What the report's page shows beyond the report itself: figures, charts, and every item."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from llm_assets.core.charts import ColumnChart, build_histogram_chart
from llm_assets.core.gate import ROUTES
from llm_assets.core.gate_text import name_route
from llm_assets.core.histogram import build_histogram
from llm_assets.core.llm_outputs import OUTCOMES, Attempt, ItemOutput, Outcome
from llm_assets.core.output_spread import (
    FieldSpread,
    LabelSpread,
    NumberSpread,
    build_spreads,
    build_verdict_spreads,
)
from llm_assets.core.packing import PackedEntries, cut_texts, pack_entries, pack_json
from llm_assets.core.recorded_calls import CallsOnRecord
from llm_assets.core.report import Report
from llm_assets.core.report_figures import Figure, build_figures
from llm_assets.core.report_items import (
    MAX_ITEMS,
    ItemSources,
    ItemTable,
    build_item_entries,
    build_item_table,
    list_shared_parts,
    rank_items,
)
from llm_assets.core.run_summary import find_quantile

MAX_PAGE_BYTES = 14_000_000
"""Of all items together; a browser opens so much at once, and it can still be sent by mail."""
STATIC_ITEMS = 20
"""Items that can be read without scripts."""
STATIC_CHARS = 1_500
CHART_FIELDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeShare:
    """How many items ended in one way, and where they stand in a bar of 1,000."""

    outcome: Outcome
    n_items: int
    share: float
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticItem:
    """An item for readers without scripts."""

    number: int
    outcome: Outcome
    title: str
    entry: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Everything the page is made of."""

    report: Report
    partial: str | None
    """Why it is not whole; None where it is."""
    span: tuple[datetime, datetime] | None
    """When the first and the last answer came; None where none did."""
    figures: tuple[Figure, ...]
    outcomes: tuple[OutcomeShare, ...]
    charts: tuple[ColumnChart, ...]
    labels: tuple[LabelSpread, ...]
    table: ItemTable
    packed_table: str
    """The table for the page's script."""
    packed: PackedEntries
    static_items: tuple[StaticItem, ...]
    latencies_seconds: tuple[float, ...]
    """Of the answers on record, each call once."""


def build_report_page(report: Report, sources: ItemSources, *, partial: str | None) -> ReportPage:
    """Put the page together; the same artifacts and the same ledger give the same page."""
    ranked = rank_items(sources.records)[:MAX_ITEMS]
    table = build_item_table(sources, ranked)
    packed_table = pack_json(_build_table_record(table))
    shared, places = list_shared_parts(ranked, sources.calls)
    packed = pack_entries(
        lambda: (dict(each) for each in build_item_entries(sources, ranked, shared=places)),
        [sources.calls.parts[part] for part in shared],
        max_bytes=MAX_PAGE_BYTES - len(packed_table),
    )
    attempts = _list_calls(sources.records)
    latencies = _list_latencies(sources.calls, attempts)
    spreads = (*build_spreads(sources.records), *build_verdict_spreads(sources.records))
    return ReportPage(
        report=report,
        partial=partial,
        span=_find_span(attempts),
        figures=build_figures(report, latencies),
        outcomes=_build_shares(report),
        charts=_build_charts(latencies, attempts, spreads),
        labels=tuple(each for each in spreads if isinstance(each, LabelSpread))[:CHART_FIELDS],
        table=table,
        packed_table=packed_table,
        packed=packed,
        static_items=_build_static_items(sources, ranked[:STATIC_ITEMS], table),
        latencies_seconds=tuple(latencies),
    )


def _build_table_record(table: ItemTable) -> dict[str, JsonValue]:
    return {
        "outcomes": list(OUTCOMES),
        "fields": list(table.fields),
        "groups": list(table.groups),
        "has_scores": table.has_scores,
        "routes": list(map(name_route, ROUTES)) if table.has_routes else [],
        "steps": list(table.steps),
        "rows": [list(row) for row in table.rows],
    }


def _list_calls(records: Sequence[ItemOutput]) -> list[Attempt]:
    """Every call once: equal items share it."""
    return list({each.call_key: each for item in records for each in item.attempts}.values())


def _list_latencies(calls: CallsOnRecord, attempts: Sequence[Attempt]) -> list[float]:
    known = (calls.calls.get(attempt.call_key) for attempt in attempts)
    return [call.answer.latency_seconds for call in known if call and call.answer]


def _find_span(attempts: Sequence[Attempt]) -> tuple[datetime, datetime] | None:
    times = [attempt.answered_at for attempt in attempts if attempt.answered_at is not None]
    return (min(times), max(times)) if times else None


def _build_shares(report: Report) -> tuple[OutcomeShare, ...]:
    totals = report.outputs.totals
    shares: list[OutcomeShare] = []
    x = 0.0
    for outcome in OUTCOMES:
        n_items = totals.outcomes.get(outcome, 0)
        if n_items:
            width = 1000 * n_items / totals.n_items
            shares.append(
                OutcomeShare(
                    outcome=outcome,
                    n_items=n_items,
                    share=n_items / totals.n_items,
                    x=round(x, 2),
                    width=round(width, 2),
                )
            )
            x += width
    return tuple(shares)


def _build_charts(
    latencies: Sequence[float], attempts: Sequence[Attempt], spreads: Sequence[FieldSpread]
) -> tuple[ColumnChart, ...]:
    answered = [attempt for attempt in attempts if attempt.finish_reason is not None]
    numbers = [each for each in spreads if isinstance(each, NumberSpread)][:CHART_FIELDS]
    charts = [
        *(
            build_histogram_chart(
                each.histogram,
                title=each.field,
                note=f"{each.n_values:,} values from {each.lowest:,.6g} to {each.highest:,.6g}, {each.mean:,.4g} on average",
            )
            for each in numbers
        ),
        _build_latency_chart(latencies),
        _build_chart("Tokens sent", [each.prompt_tokens for each in answered], what="calls"),
        _build_chart(
            "Tokens answered", [each.completion_tokens for each in answered], what="calls"
        ),
    ]
    return tuple(chart for chart in charts if chart is not None)


def _build_latency_chart(latencies: Sequence[float]) -> ColumnChart | None:
    """In milliseconds where every answer took less than two seconds."""
    is_fast = max(latencies, default=0) < 2
    times = [round(each * 1000, 1) if is_fast else round(each, 3) for each in latencies]
    return _build_chart("Time to answer", times, unit="ms" if is_fast else "s", what="calls")


def _build_chart(
    title: str, values: Sequence[float], *, what: str, unit: str = ""
) -> ColumnChart | None:
    histogram = build_histogram(values)
    if histogram is None:
        return None
    median = find_quantile(values, 0.5) or 0
    of_unit = f" {unit}" if unit else ""
    note = f"{len(values):,} {what}; {median:,.6g}{of_unit} in the middle, {max(values):,.6g}{of_unit} at most"
    return build_histogram_chart(histogram, title=title, note=note, unit=unit)


def _build_static_items(
    sources: ItemSources, ranked: Sequence[ItemOutput], table: ItemTable
) -> tuple[StaticItem, ...]:
    entries = build_item_entries(sources, ranked, shared={})
    return tuple(
        StaticItem(
            number=int(str(row[0])),
            outcome=item.outcome,
            title=str(row[3]),
            entry={name: cut_texts(value, STATIC_CHARS) for name, value in entry.items()},
        )
        for item, row, entry in zip(ranked, table.rows, entries, strict=False)
    )
