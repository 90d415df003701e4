"""What a person gets back: the input's rows with their outputs and what became of each.

In the row modes there is one line for every row of the input, in its order. In `group_output` there is one line
for every group, in the order first seen: the columns of a group's rows differ, so the line keeps the grouping
column and `n_rows` alone. Equal rows may share a call: each line shows what it cost, the report's sum counts it
once.

Where the task has a judge, the fields of its verdict stand beside the outputs that it accepted, as `judge.verdict`,
`judge.reason` and so on. A row whose answers it rejected has neither output nor verdict: its `status` is `rejected`,
and its `error` is the judge's last reason. Where the task says what it expects, `assessment` is the item's score and
`assessment.<field>` that of a field.

Where answers are text, `parse_errors` says what an accepted one lacks; a default stands in its place.
What a request hook had travel with an item stands in columns `extra.<name>`, a scorer's number in `score`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict, JsonValue

from llm_assets.config.export import ColumnType, ExportSettings
from llm_assets.core.assessment import Assessment
from llm_assets.core.export_choice import decide_columns
from llm_assets.core.export_columns import (
    ColumnSource,
    ExportColumn,
    build_extra_columns,
    build_input_columns,
    build_status_columns,
    build_unique_names,
)
from llm_assets.core.export_scores import build_score_columns, list_score_values
from llm_assets.core.export_values import read_as
from llm_assets.core.ids import WorkId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_matching import match_items
from llm_assets.core.item_sums import count_item_attempts, sum_item_cost
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs, LLMOutputsMeta
from llm_assets.core.money import render_amount
from llm_assets.core.values import FROZEN_RECORD, CollectionMeta, Scalar
from llm_assets.core.work_items import WorkItemsMeta

REHEARSAL_MARK = "offline model (rehearsal)"
"""Stands in place of a model's name where no LLM answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One line of an export."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    work_id: WorkId
    """The item behind it, also where the line does not show it."""
    values: dict[str, JsonValue]
    """By column name; the order of the columns is that of `ExportMeta.columns`."""


class ExportMeta(CollectionMeta):
    """What the lines have in common."""

    format_version: Literal[1] = 1
    columns: tuple[ExportColumn, ...]
    n_rows: int
    """Lines of this export."""
    n_accepted: int
    """Lines with an accepted output."""
    n_left_out: int
    """Lines without one that `only_accepted` left out."""
    is_rehearsal: bool

    @property
    def counted(self) -> tuple[object, ...]:
        """The columns in their order, which a line does not tell."""
        return tuple((column.name, column.kind) for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTable:
    """One batch, ready to be written in any format."""

    meta: ExportMeta
    records: tuple[ExportRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    values: Mapping[str, JsonValue]
    item: ItemOutput
    scores: Mapping[str, JsonValue] | None


def build_export(
    snapshot: InputSnapshot,
    outputs: LLMOutputs,
    *,
    items_meta: WorkItemsMeta,
    settings: ExportSettings,
    output_columns: tuple[ExportColumn, ...],
    assessment: Assessment | None = None,
) -> ExportTable:
    """Put the rows and what became of them side by side.

    `output_columns` come from `build_output_columns`, and from `build_verdict_columns` where there is a judge; a
    field of an output that they do not cover follows after them as JSON, so that nothing is dropped. Then come the
    scores, where there is an assessment.
    `StorageError` where the outputs are not those of these rows, `ConfigError` where a chosen column does not exist.
    """
    hooks = {hook.kind for hook in outputs.meta.hooks}
    input_names, pairs = _pair_rows(snapshot, outputs, items_meta)
    scores = list_score_values(assessment)
    lines = [
        _Line(values=values, item=item, scores=scores.get(item.work_id)) for values, item in pairs
    ]
    available = build_unique_names(
        [
            *build_input_columns(input_names, [line.values for line in lines]),
            *output_columns,
            *build_uncovered_columns(outputs, output_columns),
            *(_build_extra_columns(outputs, settings) if "request" in hooks else ()),
            *build_score_columns(
                None if assessment is None else [field.name for field in assessment.meta.fields]
            ),
            *build_status_columns(
                items_meta.mode,
                is_text=outputs.meta.is_text,
                is_scored="scorer" in hooks,
                has_steps=bool(outputs.meta.steps),
            ),
        ]
    )
    columns = decide_columns(
        available, chosen=settings.columns, is_rehearsal=outputs.meta.is_rehearsal
    )
    return _build_table(lines, columns=columns, meta=outputs.meta, settings=settings)


def _pair_rows(
    snapshot: InputSnapshot, outputs: LLMOutputs, items_meta: WorkItemsMeta
) -> tuple[tuple[str, ...], Sequence[tuple[Mapping[str, Scalar], ItemOutput]]]:
    """The columns of the input that lines show, and for each line its cells and the item behind it."""
    items_by_row = match_items(snapshot, outputs)
    if items_meta.mode != "group_output":
        pairs = [(row.values, items_by_row[row.row_id]) for row in snapshot.records]
        return snapshot.meta.columns, pairs
    names = tuple(filter(None, [items_meta.grouping_column]))
    rows = {row.row_id: row.values for row in snapshot.records}
    firsts = [(rows[item.row_ids[0]], item) for item in outputs.records]
    return names, [({name: row[name] for name in names}, item) for row, item in firsts]


def _build_table(
    lines: list[_Line],
    *,
    columns: tuple[ExportColumn, ...],
    meta: LLMOutputsMeta,
    settings: ExportSettings,
) -> ExportTable:
    accepted = [line for line in lines if line.item.outcome == "accepted"]
    kept = accepted if settings.only_accepted else lines
    wanted: dict[str, ColumnType] = {
        choice.as_ or choice.column: choice.type
        for choice in settings.columns
        if choice.type is not None
    }
    return ExportTable(
        meta=ExportMeta(
            columns=columns,
            n_rows=len(kept),
            n_accepted=len(accepted),
            n_left_out=len(lines) - len(kept),
            is_rehearsal=meta.is_rehearsal,
        ),
        records=tuple(_build_row(line, columns=columns, wanted=wanted, meta=meta) for line in kept),
    )


def _build_extra_columns(outputs: LLMOutputs, settings: ExportSettings) -> tuple[ExportColumn, ...]:
    extras = (item.extra for item in outputs.records)
    chosen = tuple(column.column for column in settings.columns)
    return build_extra_columns(extras, chosen=chosen)


def build_uncovered_columns(
    outputs: LLMOutputs, columns: tuple[ExportColumn, ...]
) -> Iterable[ExportColumn]:
    """Columns for fields of outputs that these columns leave out, where the schema lets a model add some."""
    paths = [column.path for column in columns if column.source == "output"]
    steps = tuple(account.name for account in outputs.meta.steps)
    uncovered: list[ExportColumn] = []
    for prefix in [(name,) for name in steps] or [()]:
        inside = [path[len(prefix) :] for path in paths if path[: len(prefix)] == prefix]
        if () in inside:
            continue
        names = _list_fields(outputs, prefix) - {path[0] for path in inside}
        uncovered += [
            ExportColumn(
                name=".".join((*prefix, name)), source="output", path=(*prefix, name), kind="json"
            )
            for name in sorted(names)
        ]
    return uncovered


def _list_fields(outputs: LLMOutputs, prefix: tuple[str, ...]) -> set[str]:
    """The fields that any output has, of one step where a prefix names it."""
    names: set[str] = set()
    for item in outputs.records:
        found = read_path(item.output, prefix)
        if isinstance(found, dict):
            names |= found.keys()
    return names


def _build_row(
    line: _Line,
    *,
    columns: tuple[ExportColumn, ...],
    wanted: Mapping[str, ColumnType],
    meta: LLMOutputsMeta,
) -> ExportRow:
    sources: dict[ColumnSource, Mapping[str, JsonValue] | None] = {
        "input": line.values,
        "output": line.item.output,
        "extra": line.item.extra,
        "judge": line.item.verdict,
        "assessment": line.scores,
        "status": _build_status(line.item, meta),
    }
    values = {column.name: read_path(sources[column.source], column.path) for column in columns}
    values |= {name: read_as(values[name], kind) for name, kind in wanted.items()}
    return ExportRow(work_id=line.item.work_id, values=values)


def read_path(source: Mapping[str, JsonValue] | None, path: tuple[str, ...]) -> JsonValue:
    """The value that these keys lead to; None where there is nothing."""
    if source is None:
        return None
    if not path:
        return dict(source)
    at = source.get(path[0])
    for key in path[1:]:
        at = at.get(key) if isinstance(at, dict) else None
    return at


def _build_status(item: ItemOutput, meta: LLMOutputsMeta) -> dict[str, JsonValue]:
    model = REHEARSAL_MARK if meta.is_rehearsal else meta.model
    cost_usd = sum_item_cost(item)
    return {
        "status": item.outcome,
        "stopped_at": item.stopped_at,
        "error": item.reason,
        "attempts": count_item_attempts(item),
        "cost_usd": None if cost_usd is None else render_amount(cost_usd),
        "answered_by": model if item.attempts else None,
        "work_id": item.work_id,
        "group_key": item.group_key,
        "n_rows": len(item.row_ids),
        "score": item.score,
        "parse_errors": "; ".join(item.parse_errors) or None,
    }
