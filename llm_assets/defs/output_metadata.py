"""What a materialization of the outputs says: what became of the items, what it took, and what the run did.

What plots over the batches are drawn from is always there; of the rest, what there was none of is left out. So are
the hashes of prompts and schemas, which stand in the artifact.
"""

from collections.abc import Mapping
from typing import TypeVar

import dagster as dg

from llm_assets.core.answer_columns import (
    AnswerSchemas,
    build_record_columns,
    iter_record_rows,
    name_output_columns,
)
from llm_assets.core.ids import BatchKey, StepName
from llm_assets.core.llm_outputs import NOT_ASKED, LLMOutputs, LLMOutputsMeta, Totals
from llm_assets.core.plan import Plan
from llm_assets.core.plan_text import render_cost_range
from llm_assets.core.run_summary import RunSummary, StepSummary
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.table_metadata import describe_table
from llm_assets.defs.telling_entries import (
    describe_amount,
    describe_cost,
    leave_out_unknown,
    leave_out_zeros,
)
from llm_assets.gateways.generation import Generation
from llm_assets.gateways.steps_run import StepsGeneration, find_run_record

Name = TypeVar("Name", bound=str)


def describe_generation(
    scope: TaskScope,
    batch: BatchKey,
    *,
    generation: Generation,
    items_meta: WorkItemsMeta,
    schemas: AnswerSchemas,
) -> dict[str, object]:
    """The batch as it is now, the run that finished it, and what that run had planned."""
    outputs = generation.outputs
    columns = build_record_columns(
        outputs, schemas, items_meta=items_meta, prompt_names=generation.prompt_names
    )
    rows = iter_record_rows(outputs, name_output_columns(outputs, schemas))
    record = find_run_record(scope.task, scope.project, batch)
    return {
        **describe_table(scope, columns, rows=rows, n_rows=outputs.meta.totals.n_items),
        **describe_totals(outputs.meta.totals),
        **_describe_makings(outputs.meta),
        **describe_run(generation.summary),
        **describe_plan(generation.plan),
        **_describe_text_answers(outputs),
        "run_record": dg.MetadataValue.path(str(record)),
    }


def describe_step(
    scope: TaskScope,
    name: StepName,
    *,
    generation: StepsGeneration,
    items_meta: WorkItemsMeta,
    schemas: AnswerSchemas,
) -> dict[str, object]:
    """The batch in one of several steps, and what the run that finished it planned and did there."""
    outputs = generation.outputs[name]
    columns = build_record_columns(
        outputs, schemas, items_meta=items_meta, prompt_names=generation.prompt_names[name]
    )
    rows = iter_record_rows(outputs, name_output_columns(outputs, schemas))
    own = next(each for each in generation.plan.steps if each.step == name)
    return {
        **describe_table(scope, columns, rows=rows, n_rows=outputs.meta.totals.n_items),
        **describe_totals(outputs.meta.totals),
        **_describe_makings(outputs.meta),
        **_describe_step_run(next(each for each in generation.summary.steps if each.name == name)),
        **describe_plan(generation.plan),
        **leave_out_zeros({"step_planned_calls": own.calls.n_generate + own.calls.n_judge}),
        **_describe_text_answers(outputs),
    }


def _describe_step_run(summary: StepSummary) -> dict[str, object]:
    return {
        "calls_sent": summary.calls_sent,
        **describe_amount("run_cost_usd", summary.cost_usd, is_known=summary.cost_is_known),
    }


def describe_joined(
    scope: TaskScope,
    batch: BatchKey,
    *,
    outputs: LLMOutputs,
    items_meta: WorkItemsMeta,
    schemas: AnswerSchemas,
) -> dict[str, object]:
    """The batch over all of its steps, and what each of them cost."""
    columns = build_record_columns(
        outputs, schemas, items_meta=items_meta, prompt_names=frozenset()
    )
    rows = iter_record_rows(outputs, name_output_columns(outputs, schemas))
    record = find_run_record(scope.task, scope.project, batch)
    costs: dict[str, object] = {}
    for account in outputs.meta.steps:
        costs.update(describe_cost(f"cost_{account.name}", account.made.totals))
    return {
        **describe_table(scope, columns, rows=rows, n_rows=outputs.meta.totals.n_items),
        **describe_totals(outputs.meta.totals),
        **_describe_makings(outputs.meta),
        **costs,
        **_describe_text_answers(outputs),
        "run_record": dg.MetadataValue.path(str(record)),
    }


def _describe_text_answers(outputs: LLMOutputs) -> dict[str, object]:
    if not outputs.meta.is_text:
        return {}
    return {"incomplete_items": sum(bool(item.parse_errors) for item in outputs.records)}


def describe_totals(totals: Totals) -> dict[str, object]:
    """What became of the items, and what all calls behind them took, whichever run sent them."""
    tokens = {
        "cached_tokens": totals.cached_tokens,
        "tokens_are_approximate": totals.tokens_are_approximate,
    }
    return {
        "items_accepted": totals.outcomes["accepted"],
        **_name_counts("items", totals.outcomes),
        "share_failed": _compute_failed_share(totals),
        "calls": totals.n_calls,
        **describe_cost("cost", totals),
        "prompt_tokens": totals.prompt_tokens,
        "completion_tokens": totals.completion_tokens,
        **leave_out_zeros(tokens),
    }


def describe_run(summary: RunSummary) -> dict[str, object]:
    """What this run sent; latencies are there where it sent something."""
    counts = {"calls_reused": summary.calls_reused, "run_faults": sum(summary.faults.values())}
    latencies = {
        "latency_p50_seconds": summary.latency_p50_seconds,
        "latency_p95_seconds": summary.latency_p95_seconds,
    }
    return {
        "calls_sent": summary.calls_sent,
        **leave_out_zeros(counts),
        **describe_amount("run_cost_usd", summary.cost_usd, is_known=summary.cost_is_known),
        "elapsed_seconds": summary.elapsed_seconds,
        **leave_out_unknown(latencies),
    }


def describe_plan(plan: Plan) -> dict[str, object]:
    """What the run was going to do, and between which bounds its cost was said to lie."""
    rest = {
        "answered": plan.n_answered,
        "without_call": plan.n_without_call,
        "left_out": plan.n_left_out,
    }
    cost = render_cost_range(plan.estimate.cost_usd)
    return {
        **_name_counts("planned", dict(plan.reasons)),
        **_name_counts("planned", rest),
        "planned_calls": plan.n_calls_to_send,
        **({"planned_cost": cost} if plan.n_calls_to_send else {}),
    }


def _name_counts(prefix: str, counts: Mapping[Name, int]) -> dict[str, int]:
    return leave_out_zeros({f"{prefix}_{name}": count for name, count in counts.items()})


def _compute_failed_share(totals: Totals) -> float:
    """Of the items that were asked about; none failed where there is none."""
    n_asked = sum(count for name, count in totals.outcomes.items() if name not in NOT_ASKED)
    return round(1 - totals.outcomes["accepted"] / n_asked, 4) if n_asked else 0.0


def _describe_makings(meta: LLMOutputsMeta) -> dict[str, object]:
    judge = f"{meta.judge_endpoint}/{meta.judge_model}" if meta.judge_model else None
    return {
        "model": f"{meta.endpoint}/{meta.model}",
        **leave_out_unknown({"judge_model": judge}),
        **leave_out_zeros({"is_rehearsal": meta.is_rehearsal}),
    }
