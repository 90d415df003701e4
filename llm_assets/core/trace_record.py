"""How a trace is written down for scripts."""

from pydantic import JsonValue

from llm_assets.core.call_log import LoggedAnswer, LoggedCall
from llm_assets.core.llm_outputs import Attempt
from llm_assets.core.money import render_amount
from llm_assets.core.trace import Trace, TracedCall
from llm_assets.core.trace_gate import build_gate_record


def build_trace_record(trace: Trace) -> dict[str, JsonValue]:
    """All of it as plain data; amounts are text, so that they stay exact."""
    rows: list[JsonValue] = [
        {
            "row": traced.number,
            "line": traced.row.line,
            "row_id": traced.row.row_id,
            "values": {name: traced.row.values.get(name) for name in trace.source.columns},
        }
        for traced in trace.rows
    ]
    return {
        "task": trace.task,
        "batch": trace.batch,
        "source": {
            "path": trace.source.input_path,
            "format": trace.source.format,
            "sha256": trace.source.sha256,
        },
        "rows": rows,
        "work_item": _build_work(trace),
        "group_context": _build_context(trace),
        "calls": [_build_call(call) for call in trace.calls],
        "other_calls": [_build_try(call) for call in trace.other_calls],
        **_build_end(trace),
        **build_gate_record(trace.fate),
        "exports": [
            {
                "path": each.path,
                "format": each.format,
                "line": each.line,
                "problem": each.problem,
            }
            for each in trace.exports
        ],
        "missing": list(trace.missing),
    }


def _build_work(trace: Trace) -> dict[str, JsonValue]:
    work = trace.work
    cuts: list[JsonValue] = [
        {"column": cut.column, "n_chars": cut.n_chars, "n_chars_kept": cut.n_chars_kept}
        for cut in work.cuts
    ]
    return {
        "work_id": work.work_id,
        "n_rows": len(work.row_ids),
        "group_key": work.group_key,
        "values": dict(work.values),
        "cuts": cuts,
    }


def _build_context(trace: Trace) -> dict[str, JsonValue] | None:
    context = trace.context
    if context is None:
        return None
    return {
        "group_context_id": context.group_context_id,
        "n_rows": context.n_rows,
        "n_rows_used": context.n_rows_used,
        "is_cut": bool(context.cuts),
        "text": context.text,
    }


def _build_call(call: TracedCall) -> dict[str, JsonValue]:
    attempt = call.attempt
    return {
        "call_key": call.key,
        **(_build_attempt(attempt) if attempt else {}),
        "tries": [_build_try(each) for each in call.tries],
    }


def _build_attempt(attempt: Attempt) -> dict[str, JsonValue]:
    return {
        **({} if attempt.step is None else {"step": attempt.step}),
        "purpose": attempt.purpose,
        "attempt": attempt.number,
        "finish_reason": attempt.finish_reason,
        "problem": attempt.problem,
        "verdict": attempt.verdict,
        "is_repaired": attempt.is_repaired,
        "prompt_tokens": attempt.prompt_tokens,
        "completion_tokens": attempt.completion_tokens,
        "cached_tokens": attempt.cached_tokens,
        "is_approximate": attempt.is_approximate,
        "cost_usd": None if attempt.cost_usd is None else render_amount(attempt.cost_usd),
    }


def _build_try(call: LoggedCall) -> dict[str, JsonValue]:
    return {
        "call_key": call.key,
        "purpose": call.purpose,
        "attempt": call.attempt,
        "task": call.task,
        "batch": call.batch,
        "work_id": call.work_id,
        "run_id": call.run_id,
        "endpoint": call.endpoint,
        "model": call.model,
        "prompt_sha256": call.prompt_sha256,
        "recorded_at": call.recorded_at.isoformat(),
        "latency_seconds": call.latency_seconds,
        "request_id": call.request_id,
        "messages": [{"role": each.role, "content": each.content} for each in call.messages],
        **_build_result(call),
    }


def _build_result(call: LoggedCall) -> dict[str, JsonValue]:
    result = call.result
    if not isinstance(result, LoggedAnswer):
        fault: dict[str, JsonValue] = {
            "kind": result.kind,
            "http_status": result.http_status,
            "message": result.message,
        }
        return {"answer": None, "fault": fault}
    answer: dict[str, JsonValue] = {
        "text": result.text,
        "refusal": result.refusal,
        "finish_reason": result.finish_reason,
        "model": result.model,
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": result.completion_tokens,
        "cached_tokens": result.cached_tokens,
        "is_approximate": result.is_approximate,
        "cost_usd": None if result.cost_usd is None else render_amount(result.cost_usd),
        "answered_at": result.answered_at.isoformat(),
    }
    return {"answer": answer, "fault": None}


def _build_end(trace: Trace) -> dict[str, JsonValue]:
    item, made = trace.item, trace.made_with
    if item is None:
        return {"outcome": None, "reason": None, "output": None, "verdict": None, "made_with": None}
    made_with: dict[str, JsonValue] | None = made and {
        "endpoint": made.endpoint,
        "model": made.model,
        "is_rehearsal": made.is_rehearsal,
        "prompt_path": made.prompt_path,
        "prompt_sha256": made.prompt_sha256,
        "schema_sha256": made.schema_sha256,
        "parameters": made.parameters,
    }
    return {
        "outcome": item.outcome,
        "reason": item.reason,
        "output": item.output,
        "verdict": item.verdict,
        "made_with": made_with,
    }
