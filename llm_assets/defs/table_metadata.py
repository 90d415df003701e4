"""How a stage's table looks in the UI: its first rows, its columns, and where each column comes from.

Every event is kept in Dagster's database and read whole with each look at all batches, at 7 µs a column and 6 µs an
origin. So all of it is bounded: a batch may have a hundred thousand rows, a table hundreds of columns, a cell a letter.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import dagster as dg

from llm_assets.core.fingerprint import render_json
from llm_assets.core.short_text import shorten
from llm_assets.core.stage_columns import ColumnOrigin, StageColumn
from llm_assets.defs.scope import TaskScope

MAX_ROWS = 5
MAX_COLUMNS = 60
MAX_PREVIEW_COLUMNS = 8
MAX_REPEATED_COLUMNS = 3
"""Of a preview that is too wide: those that stand in the input just so."""
MAX_CELL_CHARS = 120
MAX_WORDS_CHARS = 400
"""Of a description or a rule; an enumeration can be long."""

Cell = str | int | float | bool | None


def describe_table(
    scope: TaskScope,
    columns: Sequence[StageColumn],
    *,
    rows: Iterable[Mapping[str, object]],
    n_rows: int,
) -> dict[str, int | dg.TableSchema | dg.TableColumnLineage | dg.TableMetadataValue]:
    """What Dagster knows a table by: its size, columns and lineage; beside it the first rows, by column name."""
    return {
        "dagster/row_count": n_rows,
        "dagster/column_schema": build_column_schema(columns),
        "dagster/column_lineage": build_column_lineage(scope, columns),
        "preview": build_preview(rows, choose_shown(columns)),
    }


def choose_shown(columns: Sequence[StageColumn]) -> list[str]:
    """The columns of a preview, in their order; where they are too many, what the stage adds goes before the input."""
    repeated = [column.name for column in columns if _repeats_input(column)]
    own = [column.name for column in columns if not _repeats_input(column)]
    n_repeated = max(MAX_REPEATED_COLUMNS, MAX_PREVIEW_COLUMNS - len(own))
    first = repeated[:n_repeated]
    shown = {*first, *own[: MAX_PREVIEW_COLUMNS - len(first)]}
    return [column.name for column in columns if column.name in shown]


def build_preview(
    rows: Iterable[Mapping[str, object]], columns: Sequence[str]
) -> dg.TableMetadataValue:
    """The first rows; long cells are cut and end with an ellipsis."""
    shown = columns[:MAX_PREVIEW_COLUMNS]
    records = [
        dg.TableRecord({column: _build_cell(row.get(column)) for column in shown})
        for row in islice(rows, MAX_ROWS)
    ]
    schema = dg.TableSchema(columns=[dg.TableColumn(name=column) for column in shown])
    return dg.MetadataValue.table(records, schema=schema)


def build_column_schema(columns: Sequence[StageColumn]) -> dg.TableSchema:
    """The columns with their types, descriptions and constraints."""
    n_more = len(columns) - MAX_COLUMNS
    return dg.TableSchema(
        columns=[_build_column(column) for column in columns[:MAX_COLUMNS]],
        constraints=dg.TableConstraints(other=[f"{n_more} more columns"] if n_more > 0 else []),
    )


def build_column_lineage(scope: TaskScope, columns: Sequence[StageColumn]) -> dg.TableColumnLineage:
    """Which columns of earlier stages each column is made from; columns of the stage's own are left out."""
    return dg.TableColumnLineage(
        {
            column.name: [
                dg.TableColumnDep(scope.build_key(origin.stage), origin.column)
                for origin in column.origins[:MAX_COLUMNS]
            ]
            for column in columns[:MAX_COLUMNS]
            if column.origins
        }
    )


def _repeats_input(column: StageColumn) -> bool:
    return column.origins == (ColumnOrigin(stage="input_snapshot", column=column.name),)


def _build_column(column: StageColumn) -> dg.TableColumn:
    return dg.TableColumn(
        name=column.name,
        type=column.kind,
        description=None
        if column.description is None
        else shorten(column.description, max_chars=MAX_WORDS_CHARS),
        constraints=dg.TableColumnConstraints(
            nullable=not column.is_filled,
            unique=column.is_unique,
            other=[shorten(rule, max_chars=MAX_WORDS_CHARS) for rule in column.rules],
        ),
    )


def _build_cell(value: object) -> Cell:
    if value is None or isinstance(value, bool | int | float):
        return value
    return shorten(
        value if isinstance(value, str) else render_json(value), max_chars=MAX_CELL_CHARS
    )
