"""Which columns an export has, what each is called and where its values come from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import JsonValue

from llm_assets.config.grouping import Mode
from llm_assets.core.export_values import ColumnKind
from llm_assets.core.ids import StepName
from llm_assets.core.schema_fields import get_mapping, has_fixed_fields, resolve_schema
from llm_assets.core.values import FrozenModel

ColumnSource = Literal["input", "output", "extra", "judge", "assessment", "status"]

REHEARSAL_COLUMN = "answered_by"
"""Part of every export of a rehearsal, chosen or not."""

STATUS_KINDS: dict[str, ColumnKind] = {
    "status": "text",
    "error": "text",
    "attempts": "integer",
    "cost_usd": "decimal",
    REHEARSAL_COLUMN: "text",
    "work_id": "text",
    "group_key": "text",
}
EXTRA = "extra."
"""How the columns begin that hold what a hook had travel with an item."""
SCORE_KINDS: dict[str, ColumnKind] = {"score": "number"}
"""Further status columns where a hook gives scores."""
TEXT_STATUS_KINDS: dict[str, ColumnKind] = {"parse_errors": "text"}
"""Further status columns where answers are text."""
GROUP_STATUS_KINDS: dict[str, ColumnKind] = {"n_rows": "integer"}
"""Further status columns where one line stands for a whole group."""
STEP_STATUS_KINDS: dict[str, ColumnKind] = {"stopped_at": "text"}
"""Further ones where there are several steps: the one that brought no accepted output."""

_KINDS_BY_TYPE: dict[str, ColumnKind] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
_KINDS_BY_FORMAT: dict[str, ColumnKind] = {"date": "date", "date-time": "datetime"}


class ExportColumn(FrozenModel):
    """One column of an export."""

    name: str
    """As it stands in the header; unique."""
    source: ColumnSource
    path: tuple[str, ...]
    """The keys that lead to the value in its source; none for the whole of it."""
    kind: ColumnKind


def build_output_columns(
    json_schema: Mapping[str, JsonValue], nested: Literal["flatten", "json"]
) -> tuple[ExportColumn, ...]:
    """The columns of an output under this JSON Schema, in the schema's order.

    With `flatten` the fields of nested objects become columns of their own, named by their dotted path.
    What has no fixed fields stays JSON in one column: lists, objects with free keys, choices between objects,
    and objects that contain themselves. A schema without any fields gives one column, `output`.
    """
    root = resolve_schema(json_schema, json_schema)
    if not has_fixed_fields(root):
        return (ExportColumn(name="output", source="output", path=(), kind="json"),)
    return tuple(
        _walk_fields(json_schema, root, path=(), max_depth=1 if nested == "json" else None)
    )


def build_verdict_columns(
    json_schema: Mapping[str, JsonValue], nested: Literal["flatten", "json"]
) -> tuple[ExportColumn, ...]:
    """The columns of a verdict under this JSON Schema, like those of an output, as `judge.<field>`."""
    return tuple(
        column.model_copy(update={"name": ".".join(("judge", *column.path)), "source": "judge"})
        for column in build_output_columns(json_schema, nested)
    )


def place_in_step(
    columns: Iterable[ExportColumn], step: StepName | None
) -> tuple[ExportColumn, ...]:
    """The columns of one of several steps, as `<step>.<field>` and `judge.<step>.<field>`."""
    if step is None:
        return tuple(columns)
    return tuple(
        column.model_copy(
            update={"name": _name_in_step(column, step), "path": (step, *column.path)}
        )
        for column in columns
    )


def _name_in_step(column: ExportColumn, step: StepName) -> str:
    first = ("judge", step) if column.source == "judge" else (step,)
    return ".".join((*first, *column.path))


def build_input_columns(
    columns: Iterable[str], rows: Sequence[Mapping[str, JsonValue]]
) -> tuple[ExportColumn, ...]:
    """The input's columns, each with the kind that all of its values share."""
    return tuple(
        ExportColumn(
            name=column,
            source="input",
            path=(column,),
            kind=_decide_kind({type(row.get(column)) for row in rows}),
        )
        for column in columns
    )


def build_extra_columns(
    items: Iterable[Mapping[str, JsonValue] | None], *, chosen: tuple[str, ...]
) -> tuple[ExportColumn, ...]:
    """What a hook had travel with the items, as `extra.<name>`, in the order of the names.

    A column that is chosen is there although no item of the batch has a value for it.
    """
    found = [item for item in items if item is not None]
    wanted = {name.removeprefix(EXTRA) for name in chosen if name.startswith(EXTRA)}
    return tuple(
        ExportColumn(
            name=f"{EXTRA}{name}",
            source="extra",
            path=(name,),
            kind=_decide_kind({type(item.get(name)) for item in found}),
        )
        for name in sorted(wanted.union(*found))
    )


def build_status_columns(
    mode: Mode, *, is_text: bool = False, is_scored: bool = False, has_steps: bool = False
) -> tuple[ExportColumn, ...]:
    """What is said about each line, whatever became of it."""
    of_texts = TEXT_STATUS_KINDS if is_text else {}
    of_groups = GROUP_STATUS_KINDS if mode == "group_output" else {}
    of_steps = STEP_STATUS_KINDS if has_steps else {}
    scores = SCORE_KINDS if is_scored else {}
    kinds = STATUS_KINDS | scores | of_texts | of_groups | of_steps
    return tuple(
        ExportColumn(name=name, source="status", path=(name,), kind=kind)
        for name, kind in kinds.items()
    )


def build_unique_names(columns: Iterable[ExportColumn]) -> tuple[ExportColumn, ...]:
    """The same columns under names that do not clash.

    The later one of two equal names is prefixed with its source: `output.` or `status.`.
    """
    unique: dict[str, ExportColumn] = {}
    for column in columns:
        name = column.name
        while name in unique:
            name = f"{column.source}.{name}"
        unique[name] = column.model_copy(update={"name": name})
    return tuple(unique.values())


def _decide_kind(types: set[type]) -> ColumnKind:
    present = types - {type(None)}
    if present <= {str}:
        return "text"
    if present == {bool}:
        return "boolean"
    if present == {int}:
        return "integer"
    return "number" if present <= {int, float} else "json"


def _walk_fields(
    document: Mapping[str, JsonValue],
    schema: Mapping[str, JsonValue],
    *,
    path: tuple[str, ...],
    max_depth: int | None,
    parents: tuple[Mapping[str, JsonValue], ...] = (),
) -> Iterable[ExportColumn]:
    for name, field in get_mapping(schema, "properties").items():
        at = (*path, name)
        resolved = resolve_schema(document, field if isinstance(field, dict) else {})
        is_endless = any(resolved is parent for parent in (*parents, schema))
        is_deep_enough = max_depth is not None and len(at) >= max_depth
        if has_fixed_fields(resolved) and not is_endless and not is_deep_enough:
            yield from _walk_fields(
                document, resolved, path=at, max_depth=max_depth, parents=(*parents, schema)
            )
        else:
            yield ExportColumn(
                name=".".join(at), source="output", path=at, kind=_read_kind(resolved)
            )


def _read_kind(schema: Mapping[str, JsonValue]) -> ColumnKind:
    named, spelling = schema.get("type"), schema.get("format")
    if named == "string" and isinstance(spelling, str):
        return _KINDS_BY_FORMAT.get(spelling, "text")
    return _KINDS_BY_TYPE.get(named, "json") if isinstance(named, str) else "json"
