"""What the stages of the gate say of themselves: how many items went which way, who decided, what waits."""

from pathlib import Path

import dagster as dg

from llm_assets.core.corrections import Corrections
from llm_assets.core.embedding_summary import EmbeddingSummary
from llm_assets.core.gate import GateDecisions
from llm_assets.core.gate_text import render_routes
from llm_assets.core.published import Published
from llm_assets.core.review_queue import ReviewQueue
from llm_assets.defs.publishing import CORRECTIONS_KEY
from llm_assets.defs.table_metadata import build_preview
from llm_assets.defs.telling_entries import describe_amount

_DECIDED = ("row", "decision", "state", "reviewer", "note", "decided_at", "file")
_ROUTED = ("row", "route", "value", "why", "reviewer")
_WAITING = ("row", "value", "why")
_PUBLISHED = ("row", "origin", "reviewer", "enriched_at", "output")


def describe_corrections(corrections: Corrections, *, all_sha256: str) -> dict[str, object]:
    """How many decisions hold, and who made the latest ones."""
    latest = [record for record in reversed(corrections.records) if record.state != "superseded"]
    rows = (
        {
            "row": record.correction.key,
            "decision": record.correction.decision,
            "state": record.state,
            "reviewer": record.correction.reviewer,
            "note": record.correction.note,
            "decided_at": record.correction.decided_at.isoformat(timespec="seconds"),
            "file": record.correction.source.file,
        }
        for record in latest
    )
    return {
        "dagster/row_count": len(corrections.records),
        **{f"decisions_{state}": count for state, count in corrections.meta.states.items()},
        "preview": build_preview(rows, _DECIDED),
        CORRECTIONS_KEY: all_sha256,
    }


def describe_gate(decisions: GateDecisions) -> dict[str, object]:
    """The ways of the items, and first those that are held back."""
    meta = decisions.meta
    ordered = sorted(decisions.records, key=lambda record: record.route == "published")
    rows = (
        {
            "row": record.row_ids[0],
            "route": record.route,
            "value": record.value,
            "why": record.why,
            "reviewer": record.reviewer,
        }
        for record in ordered
    )
    return {
        "dagster/row_count": len(decisions.records),
        "routes": render_routes(meta),
        **{f"routed_{route}": count for route, count in meta.routes.items()},
        "decided_by_people": meta.n_by_people,
        "outdated_decisions": meta.n_outdated,
        "field": meta.field,
        "at_least": meta.at_least,
        "preview": build_preview(rows, _ROUTED),
    }


def describe_review_queue(queue: ReviewQueue, book: Path) -> dict[str, object]:
    """What waits, and the workbook to fill in."""
    rows = (
        {"row": item.row_ids[0], "value": item.value, "why": item.why, **item.input}
        for item in queue.records
    )
    return {
        "dagster/row_count": queue.meta.n_items,
        "workbook": dg.MetadataValue.path(str(book)),
        "preview": build_preview(rows, (*_WAITING, *queue.meta.shown_columns)),
    }


def describe_embeddings(summary: EmbeddingSummary) -> dict[str, object]:
    """What the store holds, what was sent for it this time and at what cost."""
    problems = ({"record": each.record_id, "reason": each.reason} for each in summary.problems)
    return {
        "dagster/row_count": summary.n_records - len(summary.problems),
        "embedded": summary.n_embedded,
        "reused": summary.n_reused,
        "removed": summary.n_removed,
        "without_vector": len(summary.problems),
        "dimensions": summary.dimensions,
        "prompt_tokens": summary.prompt_tokens,
        **describe_amount("run_cost_usd", summary.cost_usd, is_known=summary.cost_is_known),
        "model": f"{summary.endpoint}/{summary.model}",
        "is_rehearsal": summary.is_rehearsal,
        **({"problems": build_preview(problems, ("record", "reason"))} if summary.problems else {}),
    }


def describe_published(published: Published) -> dict[str, object]:
    """How much is published, and how much of it people vouch for."""
    meta = published.meta
    rows = (
        {
            "row": record.row_ids[0],
            "origin": record.origin,
            "reviewer": record.reviewer,
            "enriched_at": record.enriched_at and record.enriched_at.isoformat(timespec="seconds"),
            "output": record.output,
        }
        for record in published.records
    )
    return {
        "dagster/row_count": meta.n_records,
        "from_people": meta.n_from_people,
        "is_rehearsal": meta.is_rehearsal,
        "preview": build_preview(rows, _PUBLISHED),
    }
