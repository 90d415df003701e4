"""How parquet files are read: in batches of records, so that a large file is never held whole."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from llm_assets.core.table import RawRow, RawTable
from llm_assets.core.values import Scalar
from llm_assets.errors import InputError
from llm_assets.gateways.tables.columns import build_columns
from llm_assets.gateways.tables.source import TableSource
from llm_assets.gateways.tables.typed_cells import decide_cell_builder

_BATCH_ROWS = 8_192


@contextmanager
def open_parquet(source: TableSource) -> Generator[RawTable]:
    """The table in a parquet file; rows are counted by record, from 1."""
    with _open_file(source) as file:
        names = cast("list[str]", file.schema_arrow.names)
        if not names:
            raise InputError(f"{source.shown_path} has no columns.", remedy="Write the table anew.")
        columns = build_columns(names, place=source.shown_path)
        yield RawTable(
            path=source.shown_path,
            format=source.format,
            encoding=None,
            sha256=source.sha256,
            columns=columns,
            rows=_draw_rows(source, file, columns),
        )


def _open_file(source: TableSource) -> Any:  # noqa: ANN401 - pyarrow ships no types
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as exc:
        raise InputError(
            f"{source.shown_path}: reading parquet needs the package pyarrow, which is not installed.",
            remedy="Run `pip install 'llm-assets[parquet]'`.",
        ) from exc
    try:
        return ParquetFile(source.path)
    except _find_fault_types() as exc:
        raise _build_file_error(source, exc) from exc


def _find_fault_types() -> tuple[type[Exception], ...]:
    """What pyarrow raises for a file that is not as it should be."""
    import pyarrow as pa

    return (cast("type[Exception]", pa.ArrowException), OSError, UnicodeDecodeError)


def _draw_rows(
    source: TableSource,
    file: Any,  # noqa: ANN401 - pyarrow ships no types
    columns: Sequence[str],
) -> Iterator[RawRow]:
    line = 0
    for batch in _draw_batches(source, file):
        cells_by_column = [
            _build_cells(source, values, column=column, line=line + 1)
            for column, values in zip(columns, batch, strict=True)
        ]
        for cells in zip(*cells_by_column, strict=True):
            line += 1
            yield RawRow(line=line, cells=cells)


def _draw_batches(
    source: TableSource,
    file: Any,  # noqa: ANN401 - pyarrow ships no types
) -> Iterator[list[list[object]]]:
    """The values of each batch, column by column."""
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            yield [column.to_pylist() for column in batch.columns]
    except _find_fault_types() as exc:
        raise _build_file_error(source, exc) from exc


def _build_cells(
    source: TableSource, values: Sequence[object], *, column: str, line: int
) -> list[Scalar]:
    build_cell = decide_cell_builder(source.settings.types)
    cells: list[Scalar] = []
    for value in values:
        try:
            cells.append(build_cell(value))
        except ValueError as exc:
            raise InputError(
                f"{source.render_place(line + len(cells))}: column {column!r} cannot be read: {exc}.",
                remedy="Write the column as text.",
            ) from exc
    return cells


def _build_file_error(source: TableSource, exc: Exception) -> InputError:
    why = " ".join(str(exc).split())
    return InputError(
        f"{source.shown_path} is no readable parquet file ({why}).", remedy="Write the table anew."
    )
