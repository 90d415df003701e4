"""What a person should know about a batch once it is done, drawn from its artifacts alone."""

from collections import Counter
from collections.abc import Mapping
from statistics import median_low
from typing import Annotated, Literal

from pydantic import JsonValue

from llm_assets.config.base import LEFT_OUT_IF_EMPTY, LEFT_OUT_IF_NONE
from llm_assets.config.task import ReportSettings
from llm_assets.core.assessment import AssessmentMeta
from llm_assets.core.failure_causes import FailureCause, build_failure_causes
from llm_assets.core.gate import GateMeta
from llm_assets.core.gate_text import render_fate
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import BatchKey, GroupKey, Sha256, StepName, TaskName
from llm_assets.core.input_snapshot import InputMeta, InputSnapshot
from llm_assets.core.item_fates import NO_FATES, Fates
from llm_assets.core.item_matching import match_items
from llm_assets.core.item_sums import count_item_attempts
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs, LLMOutputsMeta, Outcome
from llm_assets.core.report_decisions import DecidedItem, build_decided_items
from llm_assets.core.report_judge import JudgeResults, build_judge_results
from llm_assets.core.report_places import ItemPlace, NumberedRows, build_place, number_rows
from llm_assets.core.report_scores import ScoreResults, build_score_results
from llm_assets.core.report_steps import StepReport, build_step_reports
from llm_assets.core.report_text_answers import TextAnswerResults, build_text_answer_results
from llm_assets.core.setting_changes import SettingChange
from llm_assets.core.values import FrozenModel, Scalar
from llm_assets.core.work_items import WorkItemsMeta

MAX_CAUSES = 20
"""Causes of failure in a report; further ones are counted."""
MAX_GROUPS = 10
"""Groups in a report, the largest first."""


class ConfigSnapshot(FrozenModel):
    """What was asked for, as it was when the batch was made."""

    format_version: Literal[1] = 1
    task: TaskName
    batch: BatchKey
    config_path: str
    """Relative to the project; the bare file name where the file lies outside of it."""
    config_sha256: Sha256
    """Of the file's bytes."""
    schema_path: str
    settings: dict[str, JsonValue]
    """Every setting with its value, the defaults included."""
    extends: tuple[str, ...] = ()
    """The files that the task is a variant of, the nearest first."""
    changes: tuple[SettingChange, ...] = ()
    """What was set for the run that made the report alone."""


class FailedItem(FrozenModel):
    """An item named under its cause of failure."""

    place: ItemPlace
    n_attempts: int
    reason: str


class ReportCause(FrozenModel):
    """A cause of failure with some of its items."""

    outcome: Outcome
    step: Annotated[StepName | None, LEFT_OUT_IF_NONE] = None
    """The step that stopped them, where there are several."""
    text: str
    n_items: int
    items: tuple[FailedItem, ...]
    """The first ones."""


class Sample(FrozenModel):
    """An accepted output, beside what it was made from."""

    place: ItemPlace
    values: dict[str, Scalar]
    """The row; empty for a group of rows."""
    output: dict[str, JsonValue]
    verdict: dict[str, JsonValue] | None = None
    """What the judge said of it; None where the task has no judge."""
    fate: Annotated[str | None, LEFT_OUT_IF_NONE] = None
    """What the gate and people made of it, in a sentence; None where the task has no gate."""


class GroupSize(FrozenModel):
    """How many rows a group has, and how many of them the model saw."""

    group_key: GroupKey
    n_rows: int
    n_rows_used: int


class GroupSizes(FrozenModel):
    """How the rows spread over the groups."""

    n_groups: int
    smallest: int
    median: int
    largest: int
    n_capped: int
    """Groups of which the model saw fewer rows than there are."""
    n_cut: int
    """Groups whose text a limit shortened."""
    largest_groups: tuple[GroupSize, ...]


class Report(FrozenModel):
    """Everything a rendering shows; the same artifacts give the same report."""

    format_version: Literal[1] = 1
    config: ConfigSnapshot
    input: InputMeta
    items: WorkItemsMeta
    outputs: LLMOutputsMeta
    n_calls_unpriced: int
    """A call that equal items share counts once, as it does in the totals."""
    n_items_retried: int
    """Items that took more than one attempt."""
    n_items_repaired: int
    """Accepted items whose JSON was mended first."""
    text_answers: TextAnswerResults | None = None
    """None where answers are JSON."""
    scores: ScoreResults | None = None
    """None where no hook gave any."""
    judge: JudgeResults | None = None
    """None where the task has no judge, or has one for each of several steps."""
    assessment: AssessmentMeta | None = None
    """None where the task does not say what it expects."""
    gate: Annotated[GateMeta | None, LEFT_OUT_IF_NONE] = None
    """None where the task has no gate."""
    decided: Annotated[tuple[DecidedItem, ...], LEFT_OUT_IF_EMPTY] = ()
    """The first items that people decided on."""
    steps: Annotated[tuple[StepReport, ...], LEFT_OUT_IF_EMPTY] = ()
    """In the order in which they run; none where the task names no steps."""
    groups: GroupSizes | None
    """None where rows are not grouped or there are none."""
    causes: tuple[ReportCause, ...]
    n_causes_left_out: int
    n_items_left_out: int
    """Items whose cause is left out."""
    samples: tuple[Sample, ...]
    artifacts: dict[str, str]
    """What each file is, and its path relative to the report."""


def build_report(
    *,
    config: ConfigSnapshot,
    snapshot: InputSnapshot,
    items_meta: WorkItemsMeta,
    contexts: GroupContexts,
    outputs: LLMOutputs,
    settings: ReportSettings,
    artifacts: Mapping[str, str],
    assessment: AssessmentMeta | None = None,
    gate: GateMeta | None = None,
    fates: Fates = NO_FATES,
) -> Report:
    """Sum up one batch.

    Its size depends on the settings and not on the number of items. `artifacts` names the files to point at.
    `StorageError` where the outputs are not those of these rows.
    """
    match_items(snapshot, outputs)
    rows = number_rows(snapshot)
    causes = build_failure_causes(outputs.records)
    calls = {attempt.call_key: attempt for item in outputs.records for attempt in item.attempts}
    return Report(
        config=config,
        input=snapshot.meta,
        items=items_meta,
        outputs=outputs.meta,
        n_calls_unpriced=sum(call.cost_usd is None for call in calls.values()),
        n_items_retried=sum(_is_retried(item) for item in outputs.records),
        n_items_repaired=sum(_is_repaired(item) for item in outputs.records),
        scores=build_score_results(outputs),
        text_answers=build_text_answer_results(outputs),
        judge=None if outputs.meta.steps else build_judge_results(outputs.records, outputs.meta),
        assessment=assessment,
        gate=gate,
        decided=build_decided_items(outputs.records, fates, rows),
        steps=build_step_reports(outputs),
        groups=_build_group_sizes(contexts),
        causes=tuple(
            _build_report_cause(cause, rows=rows, n_items=settings.failures_per_cause)
            for cause in causes[:MAX_CAUSES]
        ),
        n_causes_left_out=len(causes[MAX_CAUSES:]),
        n_items_left_out=sum(len(cause.items) for cause in causes[MAX_CAUSES:]),
        samples=_build_samples(outputs, rows, n_samples=settings.samples, fates=fates),
        artifacts=dict(artifacts),
    )


def _build_report_cause(cause: FailureCause, *, rows: NumberedRows, n_items: int) -> ReportCause:
    return ReportCause(
        outcome=cause.outcome,
        step=cause.step,
        text=cause.text,
        n_items=len(cause.items),
        items=tuple(_build_failed_item(item, rows) for item in cause.items[:n_items]),
    )


def _build_failed_item(item: ItemOutput, rows: NumberedRows) -> FailedItem:
    return FailedItem(
        place=build_place(item, rows),
        n_attempts=count_item_attempts(item),
        reason=item.reason or "",
    )


def _build_samples(
    outputs: LLMOutputs, rows: NumberedRows, *, n_samples: int, fates: Fates
) -> tuple[Sample, ...]:
    accepted = [
        (item, item.output)
        for item in outputs.records
        if item.outcome == "accepted" and item.output is not None
    ]
    return tuple(
        Sample(
            place=build_place(item, rows),
            values=rows[item.row_ids[0]][1].values if len(item.row_ids) == 1 else {},
            output=output,
            verdict=item.verdict,
            fate=render_fate(fates[item.work_id].decision) if item.work_id in fates else None,
        )
        for item, output in accepted[:n_samples]
    )


def _build_group_sizes(contexts: GroupContexts) -> GroupSizes | None:
    if not contexts.records:
        return None
    sizes = sorted(context.n_rows for context in contexts.records)
    largest = sorted(contexts.records, key=lambda context: -context.n_rows)[:MAX_GROUPS]
    return GroupSizes(
        n_groups=len(sizes),
        smallest=sizes[0],
        median=median_low(sizes),
        largest=sizes[-1],
        n_capped=sum(context.n_rows_used < context.n_rows for context in contexts.records),
        n_cut=sum(bool(context.cuts) for context in contexts.records),
        largest_groups=tuple(
            GroupSize(
                group_key=context.group_key, n_rows=context.n_rows, n_rows_used=context.n_rows_used
            )
            for context in largest
        ),
    )


def _is_retried(item: ItemOutput) -> bool:
    """Whether it took more than one attempt in any step."""
    counts = Counter(each.step for each in item.attempts if each.purpose == "generate")
    return max(counts.values(), default=0) > 1


def _is_repaired(item: ItemOutput) -> bool:
    """Whether an accepted answer was, which is the last one of its step; earlier ones and verdicts do not count."""
    repaired = {each.step: each.is_repaired for each in item.attempts if each.purpose == "generate"}
    return item.outcome == "accepted" and any(repaired.values())
