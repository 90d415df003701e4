"""How far the output of each item is what was expected of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import ConfigDict, JsonValue

from llm_assets.config.expected import ExpectedFieldSettings, ExpectedSettings
from llm_assets.core.expectations import (
    Expectation,
    LabelKey,
    Labels,
    find_expectation,
    is_blank,
)
from llm_assets.core.ids import RowId, WorkId
from llm_assets.core.input_snapshot import InputRow, InputSnapshot
from llm_assets.core.item_hooks import Hook, HookFailure, score_by_expected
from llm_assets.core.item_matching import match_items
from llm_assets.core.llm_outputs import NOT_ASKED, ItemOutput, LLMOutputs
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.scoring import find_value, score_value
from llm_assets.core.values import FROZEN_RECORD, Scalar
from llm_assets.hooks import Scorer

NO_HOOKS: Mapping[str, Hook[Scorer]] = MappingProxyType({})

Standing = Literal["answered", "without_output", "nothing_expected", "not_asked"]
"""Whether an item has a score, and if not, why. One without an accepted output is wrong: its score is 0."""

Gap = Literal["missing", "unreadable", "conflicting", "unjudged", "hook_failed"]
"""Why a field has no score: an empty cell, a cell that its scorer cannot read, rows that disagree, no verdict, trouble
in the function that scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldScore:
    """What was expected of one field, what came, and the score."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    name: str
    expected: Scalar
    found: JsonValue
    """None where there is no accepted output, or nothing at that place in it."""
    score: float | None
    """From 0 to 1."""
    gap: Gap | None
    """Why there is no score; None where there is one."""
    problem: str | None = None
    """What went wrong in the function that scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScore:
    """One item with the scores of its fields."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    work_id: WorkId
    group: str | None
    """Its value in the column that scores are broken down by; of several rows, that of the first."""
    standing: Standing
    score: float | None
    """The mean of its fields that have one."""
    fields: tuple[FieldScore, ...]


def score_items(
    snapshot: InputSnapshot,
    outputs: LLMOutputs,
    *,
    labels: Labels,
    label_key: LabelKey,
    settings: ExpectedSettings,
    hooks: Mapping[str, Hook[Scorer]] = NO_HOOKS,
) -> tuple[ItemScore, ...]:
    """A score for every item, in item order; `StorageError` where the outputs are not those of these rows.

    `labels` are the rows of the input or of a table of their own, or what people published, by what `label_key` says.
    `hooks` are the functions that score, by the names of their fields.
    """
    match_items(snapshot, outputs)
    rows = {row.row_id: row for row in snapshot.records}
    return tuple(
        _score_item(
            item,
            group=_find_group(item, rows, settings.group_by),
            fields=()
            if item.outcome in NOT_ASKED
            else _score_fields(item, labels, label_key=label_key, settings=settings, hooks=hooks),
        )
        for item in outputs.records
    )


def _find_group(item: ItemOutput, rows: Mapping[RowId, InputRow], column: str | None) -> str | None:
    return None if column is None else render_cell(rows[item.row_ids[0]].values[column])


def _score_item(
    item: ItemOutput, *, group: str | None, fields: tuple[FieldScore, ...]
) -> ItemScore:
    scores = [field.score for field in fields if field.score is not None]
    return ItemScore(
        work_id=item.work_id,
        group=group,
        standing=_decide_standing(item, is_scored=bool(scores)),
        score=fmean(scores) if scores else None,
        fields=fields,
    )


def _decide_standing(item: ItemOutput, *, is_scored: bool) -> Standing:
    if item.outcome in NOT_ASKED:
        return "not_asked"
    if not is_scored:
        return "nothing_expected"
    return "answered" if item.outcome == "accepted" else "without_output"


def _score_fields(
    item: ItemOutput,
    labels: Labels,
    *,
    label_key: LabelKey,
    settings: ExpectedSettings,
    hooks: Mapping[str, Hook[Scorer]],
) -> tuple[FieldScore, ...]:
    scores: list[FieldScore] = []
    for name, field in settings.fields.items():
        if field.scorer == "judge":
            scores.append(_score_verdict(item, name))
        else:
            column = name if field.column is None else field.column
            wanted = find_expectation(item, column, labels=labels, label_key=label_key)
            scores.append(_score_field(item, name, wanted, field, hook=hooks.get(name)))
    return tuple(scores)


def _score_verdict(item: ItemOutput, name: str) -> FieldScore:
    """An accepted output is one that the judge accepted, unless it was made before there was a judge."""
    is_accepted = item.outcome == "accepted"
    is_unjudged = is_accepted and item.verdict is None
    return FieldScore(
        name=name,
        expected=None,
        found=item.outcome,
        score=None if is_unjudged else float(is_accepted),
        gap="unjudged" if is_unjudged else None,
    )


def _score_field(
    item: ItemOutput,
    name: str,
    wanted: Expectation,
    settings: ExpectedFieldSettings,
    *,
    hook: Hook[Scorer] | None,
) -> FieldScore:
    found = None if item.output is None else find_value(item.output, settings.path or name)
    if is_blank(wanted.value):
        gap: Gap = "conflicting" if wanted.is_conflicting else "missing"
        return FieldScore(name=name, expected=None, found=found, score=None, gap=gap)
    if hook is None:
        score = score_value(found, wanted.value, settings)
    else:
        score = 0.0 if item.output is None else score_by_expected(hook, item.output, wanted.value)
    if isinstance(score, HookFailure):
        return FieldScore(
            name=name,
            expected=wanted.value,
            found=found,
            score=None,
            gap="hook_failed",
            problem=score.reason,
        )
    if score is not None and item.outcome != "accepted":
        score = 0.0
    return FieldScore(
        name=name,
        expected=wanted.value,
        found=found,
        score=score,
        gap="unreadable" if score is None else None,
    )
