"""How a report reads as Markdown."""

from collections.abc import Iterable

from llm_assets.core.assessment_text import render_assessment_markdown
from llm_assets.core.gate_text import render_gate_markdown
from llm_assets.core.llm_outputs import OUTCOMES
from llm_assets.core.markdown import (
    escape_markdown,
    render_code,
    render_json_block,
    render_link,
    render_table,
)
from llm_assets.core.money import render_cost, render_usd
from llm_assets.core.report import (
    FailedItem,
    GroupSizes,
    Report,
    ReportCause,
    Sample,
)
from llm_assets.core.report_decisions import render_decided_markdown
from llm_assets.core.report_origin import list_origin_rows, render_changes
from llm_assets.core.report_places import render_rows
from llm_assets.core.report_scores import render_scores
from llm_assets.core.report_steps_markdown import (
    list_origin,
    render_judge,
    render_steps,
)
from llm_assets.core.report_text_answers import render_text_answer_results

MAX_REASON_CHARS = 300
MAX_VALUE_CHARS = 400
"""Of an input cell beside a sample; the file itself has the rest."""
MAX_KEY_CHARS = 80

REHEARSAL_LINE = (
    "> **REHEARSAL: the offline model answered. It is not an LLM: "
    "its outputs show that the task works, not what a model would say.**"
)
JUDGE_REHEARSAL_LINE = "> **REHEARSAL: the judge was the offline model. It is not an LLM: nobody has checked these outputs.**"


def render_report_markdown(report: Report, *, partial: str | None = None) -> str:
    """The whole report; texts of people and models are escaped, and nothing in it depends on when or where.

    `partial` says why it is not whole.
    """
    sections = [
        f"# {escape_markdown(report.config.task)}: {escape_markdown(report.config.batch)}",
        f"> **PARTIAL: {escape_markdown(partial)}**" if partial else "",
        _render_rehearsal(report),
        _render_summary(report),
        _render_outcomes(report),
        render_text_answer_results(report.text_answers) if report.text_answers else "",
        f"## Score\n\n{render_assessment_markdown(report.assessment)}" if report.assessment else "",
        *_render_gate(report),
        render_judge(report.judge) if report.judge else "",
        *render_steps(report.steps),
        *_render_failures(report),
        _render_groups(report.groups) if report.groups else "",
        *_render_samples(report.samples),
        *_render_origin(report),
        _render_artifacts(report),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _render_rehearsal(report: Report) -> str:
    if report.outputs.is_rehearsal:
        return REHEARSAL_LINE
    judges = [report.judge, *(step.judge for step in report.steps)]
    has_rehearsed = any(judge is not None and judge.is_rehearsal for judge in judges)
    return JUDGE_REHEARSAL_LINE if has_rehearsed else ""


def _render_summary(report: Report) -> str:
    totals = report.outputs.totals
    cost = render_cost(
        totals.cost_usd, n_calls=totals.n_calls, n_calls_unpriced=report.n_calls_unpriced
    )
    accepted = f"{totals.outcomes.get('accepted', 0):,} of {totals.n_items:,}"
    if report.n_items_repaired:
        accepted += f" ({report.n_items_repaired:,} after their JSON was mended)"
    about = "about " if totals.tokens_are_approximate else ""
    flag = " (approximate: not all counts come from the provider)" if about else ""
    return render_table(
        ["", ""],
        [
            ["Rows", f"{report.input.n_rows:,}"],
            ["Items", f"{totals.n_items:,} ({_render_mode(report)})"],
            ["Accepted", accepted],
            ["Items with more than one attempt", f"{report.n_items_retried:,}"],
            ["Calls", f"{totals.n_calls:,}"],
            ["Prompt tokens", f"{about}{totals.prompt_tokens:,}{flag}"],
            ["of these cached", _render_cached(report)],
            ["Completion tokens", f"{about}{totals.completion_tokens:,}{flag}"],
            ["Cost", cost],
            *([["Score", render_scores(report.scores)]] if report.scores else []),
        ],
    )


def _render_cached(report: Report) -> str:
    """The count, its share of all prompt tokens, and what it saved where prices are known."""
    totals, saving = report.outputs.totals, report.outputs.cache_saving_usd
    if not totals.cached_tokens:
        return "0"
    share = totals.cached_tokens / totals.prompt_tokens
    saved = "" if saving is None else f", which saved {render_usd(saving)}"
    return f"{totals.cached_tokens:,} ({share:.1%}){saved}"


def _render_mode(report: Report) -> str:
    column = report.items.grouping_column
    by = f" by {escape_markdown(column, max_chars=MAX_KEY_CHARS)}" if column else ""
    return f"{render_code(report.items.mode)}{by}"


def _render_outcomes(report: Report) -> str:
    totals = report.outputs.totals
    rows = [
        [outcome, f"{count:,}", f"{count / totals.n_items:.1%}"]
        for outcome in OUTCOMES
        if (count := totals.outcomes.get(outcome, 0))
    ]
    if not rows:
        return "## Outcomes\n\nThe batch has no items."
    return f"## Outcomes\n\n{render_table(['Outcome', 'Items', 'Share'], rows)}"


def _render_gate(report: Report) -> Iterable[str]:
    if report.gate is None:
        return
    yield render_gate_markdown(report.gate)
    if report.decided:
        yield render_decided_markdown(report.decided, n_in_all=report.gate.n_by_people)


def _render_failures(report: Report) -> Iterable[str]:
    if not report.causes:
        return
    yield "## Not accepted, by cause"
    for number, cause in enumerate(report.causes, start=1):
        yield _render_cause(number, cause)
    if report.n_causes_left_out:
        yield (
            f"Not shown: {report.n_causes_left_out:,} more causes "
            f"with {report.n_items_left_out:,} items; the export has all of them."
        )


def _render_cause(number: int, cause: ReportCause) -> str:
    items = "1 item" if cause.n_items == 1 else f"{cause.n_items:,} items"
    text = escape_markdown(cause.text, max_chars=MAX_REASON_CHARS)
    step = f" in {render_code(cause.step)}" if cause.step else ""
    title = f"### {number}. {cause.outcome}{step}: {items}\n\nCause: {text}"
    if not cause.items:
        return title
    table = render_table(
        ["Item", "Row", "Group", "Attempts", "Reason"],
        [_render_failed_item(item) for item in cause.items],
    )
    n_more = cause.n_items - len(cause.items)
    return f"{title}\n\n{table}" + (f"\n\nand {n_more:,} more" if n_more else "")


def _render_failed_item(item: FailedItem) -> list[str]:
    return [
        render_code(item.place.work_id),
        render_rows(item.place),
        escape_markdown(item.place.group_key or "", max_chars=MAX_KEY_CHARS),
        f"{item.n_attempts:,}",
        escape_markdown(item.reason, max_chars=MAX_REASON_CHARS),
    ]


def _render_groups(groups: GroupSizes) -> str:
    facts = (
        f"Groups: {groups.n_groups:,}. Rows in a group: {groups.smallest:,} at least, "
        f"{groups.median:,} in the middle, {groups.largest:,} at most. "
        f"Capped by `max_rows_per_group`: {groups.n_capped:,}; text shortened: {groups.n_cut:,}."
    )
    table = render_table(
        ["Group", "Rows", "Rows the model saw"],
        [
            [
                escape_markdown(size.group_key, max_chars=MAX_KEY_CHARS),
                f"{size.n_rows:,}",
                f"{size.n_rows_used:,}",
            ]
            for size in groups.largest_groups
        ],
    )
    n_more = groups.n_groups - len(groups.largest_groups)
    rest = f"\n\nand {n_more:,} groups that are no larger" if n_more else ""
    return f"## Groups\n\n{facts}\n\n{table}{rest}"


def _render_samples(samples: tuple[Sample, ...]) -> Iterable[str]:
    if samples:
        yield "## Samples of accepted outputs"
    for number, sample in enumerate(samples, start=1):
        group = sample.place.group_key
        of_group = f", group {escape_markdown(group, max_chars=MAX_KEY_CHARS)}" if group else ""
        yield (
            f"### Sample {number}: item {render_code(sample.place.work_id)}, "
            f"{'row' if sample.place.n_rows == 1 else 'source lines'} {render_rows(sample.place)}{of_group}"
        )
        if sample.values:
            yield render_table(
                ["Column", "Value"],
                [
                    [
                        escape_markdown(name, max_chars=MAX_KEY_CHARS),
                        escape_markdown(_render_value(value), max_chars=MAX_VALUE_CHARS),
                    ]
                    for name, value in sample.values.items()
                ],
            )
        if sample.fate is not None:
            yield f"Gate: {escape_markdown(sample.fate, max_chars=MAX_REASON_CHARS)}"
        yield render_json_block(sample.output)
        if sample.verdict is not None:
            yield f"The judge said:\n\n{render_json_block(sample.verdict)}"


def _render_value(value: object) -> str:
    return "" if value is None else str(value)


def _render_origin(report: Report) -> Iterable[str]:
    config, outputs = report.config, report.outputs
    yield "## What it was made from"
    yield render_table(
        ["", "Name", "SHA-256"],
        [
            ["Input", render_code(report.input.input_path), render_code(report.input.sha256)],
            ["Config", render_code(config.config_path), render_code(config.config_sha256)],
            *list_origin_rows(report),
            *list_origin(outputs, schema_path=config.schema_path, judge=report.judge),
            *(
                [f"Hook: {hook.kind}", render_code(hook.name), render_code(hook.source_sha256)]
                for hook in outputs.hooks
            ),
        ],
    )
    yield from render_changes(report)
    yield f"Parameters as sent:\n\n{render_json_block(outputs.parameters)}"
    yield f"Settings, the defaults included:\n\n{render_json_block(config.settings)}"


def _render_artifacts(report: Report) -> str:
    if not report.artifacts:
        return ""
    rows = [[escape_markdown(name), render_link(path)] for name, path in report.artifacts.items()]
    return f"## Files\n\n{render_table(['What', 'Where'], rows)}"
