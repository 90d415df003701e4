"""Which outputs stand in for answers, so that export and report can be measured on any number of rows."""

from datetime import UTC, datetime
from decimal import Decimal

from upath import UPath

from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import BatchKey, CallKey
from llm_assets.core.llm_outputs import (
    Attempt,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    build_totals,
)
from llm_assets.core.work_items import WorkItem, WorkItems
from llm_assets.gateways.artifacts import load_records, write_records
from llm_assets.gateways.project import Project

ANSWERED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def write_stand_in_outputs(project: Project, task: str, batch: BatchKey) -> None:
    """Write an accepted output of ordinary size for every work item, where the stage would write its own."""
    folder = UPath(project.artifacts / task)
    items = load_records(folder / "work_items" / f"{batch}.jsonl", WorkItems, shown="work_items")
    records = tuple(_build_output(item) for item in items.records)
    sha256 = fingerprint_text("")
    meta = LLMOutputsMeta(
        endpoint="offline",
        model="stand-in",
        is_rehearsal=True,
        prompt_path="prompts/bench.yaml",
        prompt_sha256=sha256,
        schema_sha256=sha256,
        judge_model=None,
        judge_prompt_sha256=None,
        structured_output="json_schema",
        parameters={},
        totals=build_totals(records),
    )
    path = folder / "llm_outputs" / f"{batch}.jsonl"
    write_records(path, LLMOutputs(meta=meta, records=records))


def _build_output(item: WorkItem) -> ItemOutput:
    return ItemOutput(
        work_id=item.work_id,
        row_ids=item.row_ids,
        group_key=item.group_key,
        group_context_id=item.group_context_id,
        outcome="accepted",
        output={
            "category": "hardware",
            "summary": str(item.values["message"])[:120],
            "urgency": 3,
            "confidence": 0.5,
        },
        verdict=None,
        reason=None,
        attempts=(_build_attempt(item),),
        accepted_at=ANSWERED_AT,
    )


def _build_attempt(item: WorkItem) -> Attempt:
    return Attempt(
        number=1,
        purpose="generate",
        call_key=CallKey(fingerprint_text(item.work_id)),
        finish_reason="stop",
        problem=None,
        is_repaired=False,
        prompt_tokens=400,
        completion_tokens=40,
        cached_tokens=0,
        is_approximate=False,
        cost_usd=Decimal(0),
        answered_at=ANSWERED_AT,
    )
