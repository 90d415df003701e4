"""How a trace reads, from the source down to the export."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import JsonValue

from llm_assets.core.call_log import LoggedAnswer, LoggedCall
from llm_assets.core.ids import Sha256
from llm_assets.core.money import render_usd
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.table import render_line
from llm_assets.core.trace import MAX_ROWS, ExportLine, Trace, TracedCall, TracedRow
from llm_assets.core.trace_gate import list_gate_lines

HASH_DIGITS = 12
"""Of a hash; they suffice to tell it from others and to find it."""
PURPOSES = {
    "generate": "asked for an answer",
    "judge": "asked the judge",
    "schema": "asked for a schema",
    "embed": "asked for a vector",
}


def render_trace(trace: Trace) -> str:
    """The whole trace as text, each message to the letter."""
    return "\n".join(_list_lines(trace))


def _list_lines(trace: Trace) -> Iterator[str]:
    yield f"{trace.task} / {trace.batch}, work item {trace.work.work_id}"
    yield from _list_source(trace)
    yield from _list_group(trace)
    for number, call in enumerate(trace.calls, start=1):
        yield from _list_call(call, trace, number=number)
    yield from _list_others(trace.other_calls)
    yield from _list_end(trace)
    yield from list_gate_lines(trace.fate, trace.item)
    yield from _list_exports(trace)
    if trace.missing:
        yield "\nMissing"
        yield from (f"  {sentence}" for sentence in trace.missing)


def _list_source(trace: Trace) -> Iterator[str]:
    source, n_more = trace.source, len(trace.work.row_ids) - len(trace.rows)
    yield f"\nSource: {source.input_path}, SHA-256 {source.sha256[:HASH_DIGITS]}"
    for traced in trace.rows:
        yield from _list_row(traced, trace)
    if n_more:
        yield f"  and {n_more:,} more rows (the first {MAX_ROWS} are shown)"


def _list_row(traced: TracedRow, trace: Trace) -> Iterator[str]:
    row, seen = traced.row, trace.work.values
    place = render_line(row.line, table_format=trace.source.format)
    yield f"  {place}, row {traced.number} below the header, row id {row.row_id}"
    for name in trace.source.columns:
        note = "" if not seen or name in seen else " (not seen by the model)"
        yield f"    {name}{note}: {render_cell(row.values.get(name))}"


def _list_group(trace: Trace) -> Iterator[str]:
    if trace.work.cuts:
        columns = ", ".join(cut.column or "the text" for cut in trace.work.cuts)
        yield f"\nCut for the model: {columns}"
    if trace.work.group_key is None:
        return
    yield f"\nGroup: {trace.work.group_key}"
    if trace.context is None:
        return
    context = trace.context
    cut = ", its text shortened" if context.cuts else ""
    yield (
        f"  context {context.group_context_id}, {context.n_rows_used:,} of {context.n_rows:,} rows{cut}"
    )


def _list_call(call: TracedCall, trace: Trace, *, number: int) -> Iterator[str]:
    attempt, last = call.attempt, call.tries[-1] if call.tries else None
    purpose = attempt.purpose if attempt else last.purpose if last else "generate"
    count = attempt.number if attempt else last.attempt if last else 1
    step = f" in step {attempt.step}" if attempt and attempt.step else ""
    yield f"\nCall {number} of {len(trace.calls)}: {PURPOSES[purpose]}{step}, attempt {count}"
    if attempt is not None:
        verdict = {True: "the judge accepts", False: "the judge rejects", None: None}
        said = [verdict[attempt.verdict], "its JSON was mended" if attempt.is_repaired else None]
        yield from (f"  {text}" for text in said if text)
        if attempt.problem:
            yield f"  problem: {attempt.problem}"
    yield f"  call key {call.key}"
    if last is None and attempt is not None:
        yield "  " + _render_took(
            attempt.finish_reason,
            tokens=(attempt.prompt_tokens, attempt.cached_tokens, attempt.completion_tokens),
            is_approximate=attempt.is_approximate,
            cost=None if attempt.cost_usd is None else render_usd(attempt.cost_usd),
        )
    for each in call.tries:
        yield from _list_try(each)
        if (each.task, each.work_id) != (trace.task, trace.work.work_id):
            yield f"  made for {each.task} / {each.batch}, work item {each.work_id}, which asks the same"
    if last is not None:
        yield from _list_words(last)


def _list_try(call: LoggedCall) -> Iterator[str]:
    result = call.result
    where = f"{call.endpoint} / {call.model}"
    if isinstance(result, LoggedAnswer):
        yield (
            f"  answered by {result.model} ({where}) on {_render_time(result.answered_at)}, "
            f"after {call.latency_seconds:.3f} s, in run {call.run_id}"
        )
        yield "  " + _render_took(
            result.finish_reason,
            tokens=(result.prompt_tokens, result.cached_tokens, result.completion_tokens),
            is_approximate=result.is_approximate,
            cost=None if result.cost_usd is None else render_usd(result.cost_usd),
        )
    else:
        status = f" (HTTP {result.http_status})" if result.http_status else ""
        yield (
            f"  no answer from {where} on {_render_time(call.recorded_at)}, in run {call.run_id}: "
            f"{result.kind}{status}: {result.message}"
        )
    if call.request_id:
        yield f"  request id {call.request_id}"


def _render_took(
    finish_reason: str | None,
    *,
    tokens: tuple[int, int, int],
    is_approximate: bool,
    cost: str | None,
) -> str:
    prompt, cached, completion = tokens
    about = "about " if is_approximate else ""
    of_cache = f" ({cached:,} cached)" if cached else ""
    finish = f"finish reason {finish_reason}; " if finish_reason else ""
    return (
        f"{finish}{about}{prompt:,} prompt tokens{of_cache}, {about}{completion:,} completion tokens; "
        f"{cost or 'cost unknown'}"
    )


def _list_words(call: LoggedCall) -> Iterator[str]:
    for message in call.messages:
        yield f"  --- sent as {message.role} ---"
        yield message.content
    if isinstance(call.result, LoggedAnswer):
        if call.result.refusal is not None:
            yield "  --- refused ---"
            yield call.result.refusal
        if call.result.text is not None:
            yield "  --- answered ---"
            yield call.result.text
    yield "  ---"


def _list_others(calls: Iterable[LoggedCall]) -> Iterator[str]:
    found = list(calls)
    if not found:
        return
    yield f"\nOther calls for this item, not behind its output: {len(found)}"
    for call in found:
        end = (
            "answered"
            if isinstance(call.result, LoggedAnswer)
            else f"no answer: {call.result.kind}"
        )
        yield (
            f"  {_render_time(call.recorded_at)}: {PURPOSES[call.purpose]}, attempt {call.attempt}, {call.model}, "
            f"prompt {_shorten(call.prompt_sha256)}, {end}, call key {call.key}"
        )


def _list_end(trace: Trace) -> Iterator[str]:
    item = trace.item
    if item is None:
        return
    accepted = f" on {_render_time(item.accepted_at)}" if item.accepted_at else ""
    yield f"\nOutcome: {item.outcome}{accepted}"
    if item.reason:
        yield f"  reason: {item.reason}"
    yield from _list_fields("Output", item.output)
    yield from _list_fields("Verdict", item.verdict)
    made = trace.made_with
    if made is not None:
        mark = " (offline model: a rehearsal, no LLM)" if made.is_rehearsal else ""
        yield f"  made with {made.endpoint} / {made.model}{mark}"
        yield f"  prompt {made.prompt_path}, SHA-256 {_shorten(made.prompt_sha256)}"
        yield f"  schema SHA-256 {_shorten(made.schema_sha256)}"


def _list_fields(title: str, fields: dict[str, JsonValue] | None) -> Iterator[str]:
    if fields is not None:
        yield f"  {title}"
        yield from (f"    {name}: {render_cell(value)}" for name, value in fields.items())


def _list_exports(trace: Trace) -> Iterator[str]:
    if trace.exports:
        yield "\nExport"
        yield from (f"  {_render_export(each)}" for each in trace.exports)


def _render_export(export: ExportLine) -> str:
    if export.line is None:
        return f"{export.path}: {export.problem}"
    return f"{export.path}, {render_line(export.line, table_format=export.format)}"


def _render_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _shorten(sha256: Sha256) -> str:
    return sha256[:HASH_DIGITS]
