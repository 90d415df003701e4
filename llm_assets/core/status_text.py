"""How the state of a stage, a batch and a task is said to a person."""

from collections import Counter
from typing import assert_never

from llm_assets.core.markdown import escape_markdown, render_table
from llm_assets.core.short_text import shorten
from llm_assets.core.staleness import Reason, StageStatus, State
from llm_assets.core.task_status import WORST_FIRST, BatchStatus, TaskStatus

STATE_WORDS: dict[State, str] = {
    "fresh": "fresh",
    "stale": "stale",
    "will_be_stale": "may change",
    "missing": "missing",
    "failed": "failed",
    "running": "running",
}
PART_NAMES = {
    "recipe": "llm-assets itself",
    "module": "the schema module",
    "llm": "the model's settings",
    "endpoint": "the endpoint",
    "judge_llm": "the judge's model settings",
    "judge_prompt": "the judge's prompt",
    "judge_endpoint": "the judge's endpoint",
    "prompt": "the prompt",
    "schema_": "`schema`",
    "classes": "a step's classes",
}
"""Parts of a code version that are not simply a block of the config."""
SOURCE_NAMES = {
    "input_file": "the input file",
    "image_files": "a picture",
    "corrections": "what people decided",
    "compared_task": "the outputs of the other task",
    "batches": "batches",
}
"""What is not made by a stage of the task."""
MAX_FAILURE_CHARS = 200


def render_reason(reason: Reason) -> str:
    """Why a stage is not fresh, as part of a sentence."""
    match reason.kind:
        case "settings":
            return f"{PART_NAMES.get(reason.subject, f'`{reason.subject}`')} changed"
        case "new_version":
            return f"{reason.subject} has a new version"
        case "input_file" | "image_files" | "corrections" | "compared_task" | "batches":
            return f"{SOURCE_NAMES[reason.kind]} changed"
        case "upstream":
            return f"{reason.subject} comes first"
        case "batch":
            return f"not up to date: {reason.subject}"
        case "run_failed" | "check_failed":
            return _cut(reason.subject)
        case _:
            assert_never(reason.kind)


def render_stage(name: str, status: StageStatus) -> str:
    """A stage and its state with the reasons, on one line."""
    reasons = "; ".join(render_reason(reason) for reason in status.reasons)
    state = f"{name} {STATE_WORDS[status.state]}"
    return f"{state} ({reasons})" if reasons else state


def _cut(text: str) -> str:
    return shorten(text.strip().partition("\n")[0], max_chars=MAX_FAILURE_CHARS)


def render_batch(batch: BatchStatus) -> str:
    """A batch on one line: its state, what became of its items, and every stage that is not fresh."""
    own = [
        render_stage(name, status)
        for name, status in batch.stages.items()
        if status.state not in ("fresh", "missing", "will_be_stale")
    ]
    gone = "" if batch.has_file else "its input file is gone"
    parts = [
        STATE_WORDS[batch.state],
        render_outcomes(batch),
        *own,
        _list_in_state(batch, "missing"),
        _list_in_state(batch, "will_be_stale"),
        gone,
    ]
    return f"{batch.batch}: {'; '.join(part for part in parts if part)}"


def _list_in_state(batch: BatchStatus, state: State) -> str:
    names = [name for name, status in batch.stages.items() if status.state == state]
    return f"{', '.join(names)} {STATE_WORDS[state]}" if names else ""


def render_outcomes(batch: BatchStatus) -> str:
    """What became of the items, the accepted ones first."""
    return ", ".join(f"{count} {outcome}" for outcome, count in batch.outcomes.items())


def render_shared(status: TaskStatus) -> tuple[str, ...]:
    """What batches share, a line for each stage that is not fresh."""
    return tuple(
        render_stage(name, stage) for name, stage in status.shared.items() if stage.state != "fresh"
    )


def render_counts(status: TaskStatus) -> str:
    """How many batches stand how, on one line."""
    counts = Counter(batch.state for batch in status.batches)
    states = ", ".join(
        f"{counts[state]} {STATE_WORDS[state]}" for state in WORST_FIRST if counts[state]
    )
    n_batches = len(status.batches)
    return f"{n_batches} {'batch' if n_batches == 1 else 'batches'}: {states or 'none'}"


def render_status_markdown(status: TaskStatus, *, max_batches: int) -> str:
    """The matrix of batches and stages as a Markdown table, those that need something first.

    The stages stand last: they are many, and what does not fit the page is seen only by scrolling.
    """
    names = [node.name for node in status.graph.batched]
    order = sorted(status.batches, key=lambda batch: WORST_FIRST.index(batch.state))
    rows = [
        [
            escape_markdown(batch.batch),
            STATE_WORDS[batch.state],
            escape_markdown(_render_reasons(batch)),
            render_outcomes(batch),
            *(STATE_WORDS[batch.stages[name].state] for name in names),
        ]
        for batch in order[:max_batches]
    ]
    table = render_table(["batch", "state", "why", "outcomes", *names], rows)
    left_out = len(order) - len(rows)
    more = f"\n\n{left_out} more batches, none of them worse off." if left_out else ""
    before = [
        render_stage(node.name, status.shared[node.name])
        for node in status.graph.shared
        if status.shared[node.name].state != "fresh" and not status.graph.is_about_batches(node)
    ]
    shared = "".join(f"- {escape_markdown(line)}\n" for line in before)
    return f"{render_counts(status)}\n\n{shared}\n{table}{more}"


def _render_reasons(batch: BatchStatus) -> str:
    texts = [
        render_reason(reason)
        for status in batch.stages.values()
        for reason in status.reasons
        if reason.kind != "upstream"
    ]
    gone = [] if batch.has_file else ["its input file is gone"]
    return "; ".join(dict.fromkeys([*texts, *gone]))
