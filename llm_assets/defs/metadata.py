"""How values look in the UI: small tables and plain words."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import dagster as dg

from llm_assets.core.export import ExportTable
from llm_assets.core.llm_outputs import LLMOutputs, Totals
from llm_assets.core.markdown import escape_markdown, render_table
from llm_assets.core.money import render_cost
from llm_assets.core.plan import Plan
from llm_assets.core.plan_text import render_cost_range
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.work_items import WorkItems
from llm_assets.gateways.exports import ExportFile

PREVIEW_ROWS = 5
"""Every event is kept in Dagster's database, so a preview stays small."""
PREVIEW_CHARS = 120


def render_preview(
    rows: Iterable[Mapping[str, object]], columns: Sequence[str]
) -> dg.MarkdownMetadataValue:
    """The first rows as a table."""
    first_rows = islice(rows, PREVIEW_ROWS)
    cells = [[_render_cell(row.get(column)) for column in columns] for row in first_rows]
    header = [escape_markdown(column) for column in columns]
    return dg.MetadataValue.md(render_table(header, cells))


def describe_images(items: WorkItems) -> dict[str, object]:
    """The pictures of a batch; nothing where no column names any."""
    if items.meta.images_sha256 is None:
        return {}
    images = [image for item in items.records for image in item.images]
    return {
        "images": len(images),
        "images_with_problems": sum(image.problem is not None for image in images),
        "images_sha256": items.meta.images_sha256,
    }


def describe_outputs(outputs: LLMOutputs, summary: RunSummary) -> dict[str, object]:
    """The counts of a batch and of the run that finished it."""
    totals = outputs.meta.totals
    example = next((o.output for o in outputs.records if o.output is not None), None)
    fields = () if example is None else tuple(example)
    shown = (
        {"outcome": o.outcome, "reason": o.reason, **(o.output or {})} for o in outputs.records
    )
    present = {f"items_{name}": count for name, count in totals.outcomes.items() if count}
    return {
        "dagster/row_count": totals.n_items,
        **present,
        **_describe_text_answers(outputs),
        "calls_sent": summary.calls_sent,
        "calls_reused": summary.calls_reused,
        "cost": render_batch_cost(totals),
        "cost_usd": float(totals.cost_usd),
        "prompt_tokens": totals.prompt_tokens,
        "completion_tokens": totals.completion_tokens,
        "cached_tokens": totals.cached_tokens,
        "run_cost_usd": float(summary.cost_usd),
        "elapsed_seconds": summary.elapsed_seconds,
        "latency_p50_seconds": summary.latency_p50_seconds or 0.0,
        "latency_p95_seconds": summary.latency_p95_seconds or 0.0,
        "model": f"{outputs.meta.endpoint}/{outputs.meta.model}",
        "is_rehearsal": outputs.meta.is_rehearsal,
        "prompt_sha256": outputs.meta.prompt_sha256,
        "schema_sha256": outputs.meta.schema_sha256,
        "preview": render_preview(shown, ["outcome", *fields, "reason"]),
    }


def _describe_text_answers(outputs: LLMOutputs) -> dict[str, object]:
    if not outputs.meta.is_text:
        return {}
    return {"items_with_parse_errors": sum(bool(item.parse_errors) for item in outputs.records)}


def describe_plan(plan: Plan) -> dict[str, object]:
    """What the run was going to do, and between which bounds its cost was said to lie."""
    cost = plan.estimate.cost_usd
    amounts = {} if cost is None else {"low": cost.low_usd, "high": cost.high_usd}
    return {
        **{f"planned_{reason}": count for reason, count in plan.reasons},
        "planned_answered": plan.n_answered,
        "planned_left_out": plan.n_left_out,
        "planned_calls": plan.n_calls_to_send,
        "planned_cost": render_cost_range(cost),
        **{f"planned_cost_{end}_usd": float(amount) for end, amount in amounts.items()},
    }


def describe_export(table: ExportTable, files: Sequence[ExportFile]) -> dict[str, object]:
    """Where the files lie and what is in them."""
    columns = [column.name for column in table.meta.columns]
    paths = {f"file_{file.path.suffix[1:]}": str(file.path) for file in files}
    return {
        "dagster/row_count": table.meta.n_rows,
        "accepted": table.meta.n_accepted,
        "formulas_made_harmless": max((file.n_formulas for file in files), default=0),
        **{name: dg.MetadataValue.path(path) for name, path in paths.items()},
        "preview": render_preview((row.values for row in table.records), columns),
    }


def render_batch_cost(totals: Totals) -> str:
    """What a batch cost, unknown prices said as such."""
    return render_cost(
        totals.cost_usd, n_calls=totals.n_calls, n_calls_unpriced=totals.n_calls_unpriced
    )


def _render_cell(value: object) -> str:
    return "" if value is None else escape_markdown(str(value), max_chars=PREVIEW_CHARS)
