"""Which columns the table of a stage has, and which columns before it each of them comes from.

A stage's table is its records as a person reads them. Columns of the input keep their names throughout; a column of
the stage's own that clashes with one of them is prefixed, as it is in an export.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from llm_assets.core.export_columns import (
    ColumnKind,
    ExportColumn,
    build_input_columns,
    build_unique_names,
)
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.work_items import WorkItems, WorkItemsMeta


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnOrigin:
    """A column of an earlier stage."""

    stage: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageColumn:
    """A column of a stage's table."""

    name: str
    kind: ColumnKind
    description: str | None = None
    is_filled: bool = False
    """Whether every record has a value."""
    is_unique: bool = False
    rules: tuple[str, ...] = ()
    """What else holds for its values, in words."""
    origins: tuple[ColumnOrigin, ...] = ()


def build_snapshot_columns(
    snapshot: InputSnapshot, *, id_column: str | None
) -> tuple[StageColumn, ...]:
    """The columns of the input file, under the same names."""
    columns = build_input_columns(
        snapshot.meta.columns, [record.values for record in snapshot.records]
    )
    return tuple(
        StageColumn(
            name=column.name,
            kind=column.kind,
            description="Names each row." if column.name == id_column else None,
            is_filled=column.name == id_column,
            is_unique=column.name == id_column,
            origins=(ColumnOrigin(stage="input_file", column=column.name),),
        )
        for column in columns
    )


def build_context_columns(
    grouping_column: str, *, shown: tuple[str, ...]
) -> tuple[StageColumn, ...]:
    """The key, text and size of a group; `shown` are the columns that its text is written from."""
    return (
        StageColumn(
            name="group_key",
            kind="text",
            description="What the rows of the group have in the grouping column.",
            is_filled=True,
            is_unique=True,
            origins=_find_in_snapshot([grouping_column]),
        ),
        StageColumn(
            name="text",
            kind="text",
            description="Stands for the group in a prompt, as `group_context`.",
            is_filled=True,
            origins=_find_in_snapshot(shown),
        ),
        StageColumn(
            name="n_rows", kind="integer", description="Rows in the group.", is_filled=True
        ),
        StageColumn(
            name="n_rows_used",
            kind="integer",
            description="Rows that its text is written from; the cap may leave some out.",
            is_filled=True,
        ),
        StageColumn(
            name="n_chars", kind="integer", description="Length of the text.", is_filled=True
        ),
        StageColumn(
            name="n_cuts",
            kind="integer",
            description="Texts that a limit shortened.",
            is_filled=True,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemNames:
    """What the columns of the work items are called."""

    values: tuple[str, ...]
    """The columns the model sees of a row; none where an item is a whole group."""
    work_id: str
    group_key: str | None
    """None where rows are not grouped."""
    n_rows: str


def name_item_columns(meta: WorkItemsMeta) -> ItemNames:
    """The names of the work items' columns, none of them twice."""
    values = () if meta.mode == "group_output" else meta.columns
    own = ("work_id", "group_key", "n_rows")
    named = build_unique_names(
        [
            *(
                ExportColumn(name=name, source="input", path=(name,), kind="text")
                for name in values
            ),
            *(ExportColumn(name=name, source="status", path=(name,), kind="text") for name in own),
        ]
    )
    work_id, group_key, n_rows = (column.name for column in named[len(values) :])
    return ItemNames(
        values=values,
        work_id=work_id,
        group_key=None if meta.grouping_column is None else group_key,
        n_rows=n_rows,
    )


def build_item_columns(items: WorkItems) -> tuple[StageColumn, ...]:
    """The name of an item, what it is about, and the columns that the model sees."""
    meta, names = items.meta, name_item_columns(items.meta)
    grouped_by = _find_in_snapshot(filter(None, [meta.grouping_column]))
    group = StageColumn(
        name=names.group_key or "",
        kind="text",
        description="The group that the item is, or stands in.",
        is_filled=True,
        origins=grouped_by,
    )
    values = build_input_columns(names.values, [item.values for item in items.records])
    return (
        StageColumn(
            name=names.work_id,
            kind="text",
            description="Names the item by its content and not by its place.",
            is_filled=True,
            is_unique=True,
            origins=_list_content(meta),
        ),
        *([group] if names.group_key is not None else []),
        StageColumn(
            name=names.n_rows,
            kind="integer",
            description="Rows of the input that it answers for.",
            is_filled=True,
        ),
        *(
            StageColumn(
                name=column.name,
                kind=column.kind,
                description="Seen by the model.",
                origins=_find_in_snapshot(column.path),
            )
            for column in values
        ),
    )


def _list_content(meta: WorkItemsMeta) -> tuple[ColumnOrigin, ...]:
    """What an item's name is made from: the columns of its row, or the key and the text of its group."""
    if meta.mode == "group_output":
        names = ("group_key", "text")
        return tuple(ColumnOrigin(stage="group_contexts", column=name) for name in names)
    return _find_in_snapshot(dict.fromkeys([*meta.columns, *filter(None, [meta.grouping_column])]))


def _find_in_snapshot(columns: Iterable[str]) -> tuple[ColumnOrigin, ...]:
    return tuple(ColumnOrigin(stage="input_snapshot", column=column) for column in columns)
