"""What a materialization of the outputs says: what became of the items, what it took, and what the run did."""

import dagster as dg

from llm_assets.core.answer_columns import (
    AnswerSchemas,
    build_record_columns,
    iter_record_rows,
    name_output_columns,
)
from llm_assets.core.checks import NOT_ASKED
from llm_assets.core.ids import BatchKey, StepName
from llm_assets.core.llm_outputs import LLMOutputs, LLMOutputsMeta, Totals
from llm_assets.core.money import render_cost
from llm_assets.core.plan import Plan
from llm_assets.core.plan_reasons import REASONS
from llm_assets.core.plan_text import render_cost_range
from llm_assets.core.run_summary import RunSummary, StepSummary
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.defs.metadata import describe_amount
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.table_metadata import describe_table
from llm_assets.gateways.generation import Generation
from llm_assets.gateways.steps_run import StepsGeneration, find_run_record


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
        **describe_run(generation.summary),
        **describe_plan(generation.plan),
        **_describe_makings(outputs.meta),
        **_describe_text_answers(outputs),
        "prompt_file": dg.MetadataValue.path(str(scope.task.steps[0].prompt_path)),
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
        **_describe_step_run(next(each for each in generation.summary.steps if each.name == name)),
        **describe_plan(generation.plan),
        "step_planned_calls": own.calls.n_generate + own.calls.n_judge,
        **_describe_makings(outputs.meta),
        **_describe_text_answers(outputs),
    }


def _describe_step_run(summary: StepSummary) -> dict[str, object]:
    return {
        "calls_sent": summary.calls_sent,
        "run_cost_usd": describe_amount(summary.cost_usd, is_known=summary.cost_is_known),
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
        made = describe_totals(account.made.totals)
        costs[f"cost_{account.name}"] = made["cost"]
        costs[f"cost_{account.name}_usd"] = made["cost_usd"]
    return {
        **describe_table(scope, columns, rows=rows, n_rows=outputs.meta.totals.n_items),
        **describe_totals(outputs.meta.totals),
        **costs,
        **_describe_makings(outputs.meta),
        **_describe_text_answers(outputs),
        "run_record": dg.MetadataValue.path(str(record)),
    }


def _describe_text_answers(outputs: LLMOutputs) -> dict[str, object]:
    if not outputs.meta.is_text:
        return {}
    return {"incomplete_items": sum(bool(item.parse_errors) for item in outputs.records)}


def describe_totals(totals: Totals) -> dict[str, object]:
    """What became of the items, and what all calls behind them took, whichever run sent them."""
    return {
        **{f"items_{name}": count for name, count in totals.outcomes.items()},
        "share_failed": _compute_failed_share(totals),
        "calls": totals.n_calls,
        "calls_unpriced": totals.n_calls_unpriced,
        "cost": render_cost(
            totals.cost_usd, n_calls=totals.n_calls, n_calls_unpriced=totals.n_calls_unpriced
        ),
        "cost_usd": describe_amount(totals.cost_usd, is_known=totals.n_calls_unpriced == 0),
        "prompt_tokens": totals.prompt_tokens,
        "completion_tokens": totals.completion_tokens,
        "cached_tokens": totals.cached_tokens,
        "tokens_are_approximate": totals.tokens_are_approximate,
    }


def describe_run(summary: RunSummary) -> dict[str, object]:
    """What this run sent; a latency is null where it sent nothing."""
    return {
        "calls_sent": summary.calls_sent,
        "calls_reused": summary.calls_reused,
        "run_cost_usd": describe_amount(summary.cost_usd, is_known=summary.cost_is_known),
        "run_faults": sum(summary.faults.values()),
        "elapsed_seconds": summary.elapsed_seconds,
        "latency_p50_seconds": summary.latency_p50_seconds,
        "latency_p95_seconds": summary.latency_p95_seconds,
        "latency_max_seconds": summary.latency_max_seconds,
    }


def describe_plan(plan: Plan) -> dict[str, object]:
    """What the run was going to do, and between which bounds its cost was said to lie."""
    cost, counts = plan.estimate.cost_usd, dict(plan.reasons)
    return {
        **{f"planned_{reason}": counts.get(reason, 0) for reason in REASONS},
        "planned_answered": plan.n_answered,
        "planned_left_out": plan.n_left_out,
        "planned_calls": plan.n_calls_to_send,
        "planned_cost": render_cost_range(cost),
        "planned_cost_low_usd": None if cost is None else float(cost.low_usd),
        "planned_cost_high_usd": None if cost is None else float(cost.high_usd),
    }


def _compute_failed_share(totals: Totals) -> float:
    """Of the items that were asked about; none failed where there is none."""
    n_asked = sum(count for name, count in totals.outcomes.items() if name not in NOT_ASKED)
    return round(1 - totals.outcomes["accepted"] / n_asked, 4) if n_asked else 0.0


def _describe_makings(meta: LLMOutputsMeta) -> dict[str, object]:
    judge = f"{meta.judge_endpoint}/{meta.judge_model}" if meta.judge_model else None
    return {
        "model": f"{meta.endpoint}/{meta.model}",
        "judge_model": judge,
        "is_rehearsal": meta.is_rehearsal,
        "structured_output": meta.structured_output,
        "prompt_sha256": meta.prompt_sha256,
        "judge_prompt_sha256": meta.judge_prompt_sha256,
        "schema_sha256": meta.schema_sha256,
    }
