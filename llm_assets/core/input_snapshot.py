"""What the table said, cell by cell, once it is cleaned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from llm_assets.config.task import CleaningSettings
from llm_assets.core.cells import build_cell_rules, clean_cells, is_nulled
from llm_assets.core.fingerprint import build_id
from llm_assets.core.ids import RowId
from llm_assets.core.table import RawTable, render_line, render_place
from llm_assets.core.values import FROZEN_RECORD, CollectionMeta, Scalar
from llm_assets.errors import InputError, suggest


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """One row of the input."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    row_id: RowId
    """From the id column, else a hash of the content with the number of its occurrence."""
    line: int
    """Where it starts in the source, from 1."""
    values: dict[str, Scalar]


class InputMeta(CollectionMeta):
    """Where the rows came from."""

    format_version: Literal[1] = 1
    input_path: str
    """Relative to the project; the bare file name where the file lies outside of it."""
    sha256: str
    """Of the file's bytes."""
    format: str
    encoding: str | None
    n_rows: int
    n_cols: int
    columns: tuple[str, ...]
    n_nulls: int
    """How many cells a null token emptied."""

    @property
    def counted(self) -> tuple[object, ...]:
        """The columns: a record holds its cells by name, and a table without rows has columns all the same."""
        return self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSnapshot:
    """The rows of one batch, in input order."""

    meta: InputMeta
    records: tuple[InputRow, ...]


def build_input_snapshot(
    table: RawTable, *, cleaning: CleaningSettings, id_column: str | None
) -> InputSnapshot:
    """Draw all rows of the table, clean their cells and name each row.

    The id column's values must be filled and unique once cleaned; a null token counts as not filled.
    A setting that names a column the table does not have is an `InputError`, as is an id twice or missing.
    """
    columns = table.columns
    for column in cleaning.null_tokens_by_column:
        _check_column(table, column, setting="cleaning.null_tokens_by_column")
    rules = [build_cell_rules(cleaning, column=column) for column in columns]
    names = _ContentNames() if id_column is None else _ColumnNames(table, id_column)
    records: list[InputRow] = []
    n_nulls = 0
    for row in table.rows:
        cells = clean_cells(row.cells, rules)
        if "" in cells:
            n_nulls += sum(
                is_nulled(raw, rule)
                for raw, cell, rule in zip(row.cells, cells, rules, strict=True)
                if cell == ""
            )
        row_id = names.build_row_id(cells, line=row.line)
        values = dict(zip(columns, cells, strict=True))
        records.append(InputRow(row_id=row_id, line=row.line, values=values))
    return InputSnapshot(
        meta=_build_meta(table, n_rows=len(records), n_nulls=n_nulls), records=tuple(records)
    )


def _build_meta(table: RawTable, *, n_rows: int, n_nulls: int) -> InputMeta:
    return InputMeta(
        input_path=table.path,
        sha256=table.sha256,
        format=table.format,
        encoding=table.encoding,
        n_rows=n_rows,
        n_cols=len(table.columns),
        columns=table.columns,
        n_nulls=n_nulls,
    )


def _check_column(table: RawTable, column: str, *, setting: str) -> None:
    if column not in table.columns:
        hint = suggest(column, table.columns)
        raise InputError(
            f"{table.path} has no column {column!r}, which `{setting}` names; "
            f"its columns are {', '.join(map(repr, table.columns))}.",
            remedy=f"{hint} Name one of them in the task's config, or take the setting out.".strip(),
        )


class _ContentNames:
    """Names rows by what is in them: a hash, from the second equal row on with its number, such as `-2`."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def build_row_id(self, cells: Sequence[Scalar], *, line: int) -> RowId:  # noqa: ARG002 - content alone names the row
        content_id = build_id(cells)
        number = self._counts.get(content_id, 0) + 1
        self._counts[content_id] = number
        return RowId(content_id if number == 1 else f"{content_id}-{number}")


class _ColumnNames:
    """Names rows by their value in one column."""

    def __init__(self, table: RawTable, column: str) -> None:
        _check_column(table, column, setting="input.id_column")
        self._table = table
        self._column = column
        self._index = table.columns.index(column)
        self._lines: dict[str, int] = {}

    def build_row_id(self, cells: Sequence[Scalar], *, line: int) -> RowId:
        value = cells[self._index]
        row_id = "" if value is None else str(value)
        if not row_id:
            raise self._build_error(line, "is empty or holds a null token")
        earlier = self._lines.setdefault(row_id, line)
        if earlier != line:
            raise self._build_error(line, f"holds {row_id!r}, as {self._render_line(earlier)} does")
        return RowId(row_id)

    def _render_line(self, line: int) -> str:
        return render_line(line, table_format=self._table.format)

    def _build_error(self, line: int, what: str) -> InputError:
        place = render_place(path=self._table.path, table_format=self._table.format, line=line)
        return InputError(
            f"{place}: the id column {self._column!r} {what}.",
            remedy="Give every row a value of its own there, or take `input.id_column` out to let the content name the rows.",
        )
