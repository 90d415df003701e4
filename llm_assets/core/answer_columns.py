"""Which columns outputs and exports have, what the schema says of each, and what the model saw to fill it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from llm_assets.core.export import ExportMeta, build_uncovered_columns, read_path
from llm_assets.core.export_columns import (
    REHEARSAL_COLUMN,
    ColumnKind,
    ColumnSource,
    ExportColumn,
    build_output_columns,
    build_unique_names,
    build_verdict_columns,
    place_in_step,
)
from llm_assets.core.field_facts import FieldFacts, describe_field
from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import OUTCOMES, LLMOutputs
from llm_assets.core.prompts import RESERVED_NAMES, ROW_NAMES
from llm_assets.core.stage_columns import ColumnOrigin, StageColumn, name_item_columns
from llm_assets.core.work_items import WorkItemsMeta

MAX_ORIGINS = 30
"""Kept with every materialization, and read back with each look at all batches, which 30 make 0.2 ms longer."""

_NOTHING_KNOWN = FieldFacts(description=None, rules=(), is_always_filled=False)
_ONE_OUTCOME = f"one of: {', '.join(OUTCOMES)}"

_OUTPUT_OWN: dict[str, tuple[ColumnKind, str]] = {
    "work_id": ("text", "The item."),
    "group_key": ("text", "The group that the item is, or stands in."),
    "n_rows": ("integer", "Rows of the input that it answers for."),
    "outcome": ("text", "What became of the item; only `accepted` counts as an answer."),
    "reason": ("text", "Why there is no accepted output."),
    "attempts": ("integer", "Calls made for the item, those to the judge included."),
}
_FILLED_OWN = frozenset({"work_id", "n_rows", "outcome", "attempts"})

_STATUS: dict[str, tuple[str, str]] = {
    "status": ("What became of the line; only `accepted` counts as an answer.", "outcome"),
    "error": ("Why there is no accepted output.", "reason"),
    "attempts": ("Calls for an answer, the first included.", "attempts"),
    "cost_usd": ("Of all calls of the line, those of the judge included; exact.", "attempts"),
    REHEARSAL_COLUMN: ("The model behind the output.", "attempts"),
    "work_id": ("The item behind the line.", "work_id"),
    "group_key": ("The group of the line.", "group_key"),
    "n_rows": ("Rows of the input that the line answers for.", "n_rows"),
    "stopped_at": ("The step that brought no accepted output.", "outcome"),
    "score": ("What the project's scorer made of the output.", "outcome"),
    "parse_errors": (
        "What the text answer did not say as it should; defaults stand in.",
        "outcome",
    ),
}
"""What the status columns of an export say, and the column of the outputs that each is made from."""
_OTHERS: dict[ColumnSource, str] = {
    "extra": "What the project's request hook had travel with the item.",
    "assessment": "How well the output does by what was expected, from 0 to 1.",
}
_FILLED_STATUS = frozenset({"status", "attempts", "work_id", "n_rows"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSchemas:
    """What answers and verdicts look like, as JSON Schema."""

    output: Mapping[str, JsonValue]
    verdict: Mapping[str, JsonValue] | None
    """None where the task has no judge."""
    steps: Mapping[StepName, "AnswerSchemas"] = field(
        default_factory=dict[StepName, "AnswerSchemas"]
    )
    """Those of each step in their order, where outputs join several; none where the task names none."""


def build_answer_columns(
    schemas: AnswerSchemas, nested: Literal["flatten", "json"]
) -> tuple[ExportColumn, ...]:
    """The columns of the output and of the judge's verdict, in the order of the schema's fields."""
    parts: list[tuple[StepName | None, AnswerSchemas]] = [*schemas.steps.items()]
    parts = parts or [(None, schemas)]
    outputs: list[ExportColumn] = []
    verdicts: list[ExportColumn] = []
    for step, each in parts:
        outputs += place_in_step(build_output_columns(each.output, nested), step)
        if each.verdict is not None:
            verdicts += place_in_step(build_verdict_columns(each.verdict, nested), step)
    return (*outputs, *verdicts)


def name_output_columns(outputs: LLMOutputs, schemas: AnswerSchemas) -> tuple[ExportColumn, ...]:
    """The columns of the outputs under names of which none is there twice, `outcome` first.

    Fields keep their names; what is said of each item is prefixed where a field is called so.
    """
    answers = build_answer_columns(schemas, "flatten")
    own = [
        ExportColumn(name=name, source="status", path=(name,), kind=kind)
        for name, (kind, _) in _OUTPUT_OWN.items()
    ]
    named = build_unique_names([*answers, *build_uncovered_columns(outputs, answers), *own])
    return tuple(
        sorted(named, key=lambda column: column.path != ("outcome",) or column.source != "status")
    )


def iter_record_rows(
    outputs: LLMOutputs, columns: Sequence[ExportColumn]
) -> Iterator[dict[str, JsonValue]]:
    """The records as rows of these columns, in item order."""
    for record in outputs.records:
        sources: dict[ColumnSource, Mapping[str, JsonValue] | None] = {
            "output": record.output,
            "judge": record.verdict,
            "status": {
                "work_id": record.work_id,
                "group_key": record.group_key,
                "n_rows": len(record.row_ids),
                "outcome": record.outcome,
                "reason": record.reason,
                "attempts": len(record.attempts),
            },
        }
        yield {column.name: read_path(sources[column.source], column.path) for column in columns}


def build_record_columns(
    outputs: LLMOutputs,
    schemas: AnswerSchemas,
    *,
    items_meta: WorkItemsMeta,
    prompt_names: frozenset[str],
) -> tuple[StageColumn, ...]:
    """The columns of the outputs.

    A field comes from what the prompts show, by their names: the model's and the judge's, because a verdict is about
    the field and leads to the next attempt. Where that makes too many pairs, it comes from the item as a whole.
    What became of an item is the stage's own finding and comes from no column.
    """
    columns = name_output_columns(outputs, schemas)
    names = name_item_columns(items_meta)
    shown = _list_shown(items_meta, prompt_names)
    n_fields = sum(column.source != "status" for column in columns)
    if len(shown) * n_fields > MAX_ORIGINS:
        shown = (ColumnOrigin(stage="work_items", column=names.work_id),)
    own_origins = {
        "work_id": _find_in_items(names.work_id),
        "group_key": _find_in_items(names.group_key),
        "n_rows": _find_in_items(names.n_rows),
    }
    return tuple(
        _build_own_column(column, own_origins.get(column.path[0], ()))
        if column.source == "status"
        else _build_field_column(
            column,
            schemas,
            origins=_find_in_step(column) if schemas.steps else shown,
            accepted_in="outcome",
        )
        for column in columns
    )


def build_line_columns(
    meta: ExportMeta,
    outputs: LLMOutputs,
    schemas: AnswerSchemas,
    *,
    only_accepted: bool,
) -> tuple[StageColumn, ...]:
    """The columns of an export: those of the input, of the outputs, and what became of each line."""
    upstream = name_output_columns(outputs, schemas)
    return tuple(
        _build_line_column(column, upstream, schemas, only_accepted=only_accepted)
        for column in meta.columns
    )


def _build_line_column(
    column: ExportColumn,
    upstream: tuple[ExportColumn, ...],
    schemas: AnswerSchemas,
    *,
    only_accepted: bool,
) -> StageColumn:
    if column.source == "input":
        origin = ColumnOrigin(stage="input_snapshot", column=column.path[0])
        return StageColumn(name=column.name, kind=column.kind, origins=(origin,))
    if column.source in _OTHERS:
        return StageColumn(name=column.name, kind=column.kind, description=_OTHERS[column.source])
    if column.source == "status":
        description, origin = _STATUS[column.path[0]]
        return StageColumn(
            name=column.name,
            kind=column.kind,
            description=description,
            is_filled=column.path[0] in _FILLED_STATUS,
            rules=(_ONE_OUTCOME,) if column.path[0] == "status" else (),
            origins=_find_in_outputs(upstream, "status", (origin,)),
        )
    return _build_field_column(
        column,
        schemas,
        origins=_find_in_outputs(upstream, column.source, column.path),
        accepted_in=None if only_accepted else "status",
    )


def _build_own_column(column: ExportColumn, origins: tuple[ColumnOrigin, ...]) -> StageColumn:
    name = column.path[0]
    return StageColumn(
        name=column.name,
        kind=column.kind,
        description=_OUTPUT_OWN[name][1],
        is_filled=name in _FILLED_OWN,
        is_unique=name == "work_id",
        rules=(_ONE_OUTCOME,) if name == "outcome" else (),
        origins=origins,
    )


def _build_field_column(
    column: ExportColumn,
    schemas: AnswerSchemas,
    *,
    origins: tuple[ColumnOrigin, ...],
    accepted_in: str | None,
) -> StageColumn:
    """`accepted_in` names the column that says whether a record has an output; None where all have one."""
    schema = schemas.verdict if column.source == "judge" else schemas.output
    facts = _NOTHING_KNOWN if schema is None else describe_field(schema, column.path)
    condition = f"filled where `{accepted_in}` is accepted"
    return StageColumn(
        name=column.name,
        kind=column.kind,
        description=facts.description,
        is_filled=facts.is_always_filled and accepted_in is None,
        rules=(*facts.rules, *([condition] if facts.is_always_filled and accepted_in else [])),
        origins=origins,
    )


def _list_shown(meta: WorkItemsMeta, prompt_names: frozenset[str]) -> tuple[ColumnOrigin, ...]:
    """The columns behind the names that prompts use; all of a row where one shows the row as such."""
    names = name_item_columns(meta)
    columns = names.values
    if not prompt_names & ROW_NAMES:
        columns = tuple(name for name in columns if name in prompt_names - RESERVED_NAMES)
    origins = [ColumnOrigin(stage="work_items", column=column) for column in columns]
    if "group_key" in prompt_names:
        origins += _find_in_items(names.group_key)
    if "group_context" in prompt_names:
        origins.append(ColumnOrigin(stage="group_contexts", column="text"))
    return tuple(origins)


def _find_in_step(column: ExportColumn) -> tuple[ColumnOrigin, ...]:
    """Where a field of joined outputs stands in those of its step."""
    step, *path = column.path
    name = ".".join(path) or "output"
    name = f"judge.{name}" if column.source == "judge" else name
    return (ColumnOrigin(stage=step, column=name),)


def _find_in_items(column: str | None) -> tuple[ColumnOrigin, ...]:
    return () if column is None else (ColumnOrigin(stage="work_items", column=column),)


def _find_in_outputs(
    upstream: tuple[ExportColumn, ...], source: str, path: tuple[str, ...]
) -> tuple[ColumnOrigin, ...]:
    """The field itself, or all fields below it where an export keeps an object in one column."""
    return tuple(
        ColumnOrigin(stage="llm_outputs", column=column.name)
        for column in upstream
        if column.source == source and column.path[: len(path)] == path
    )
