"""How an export becomes a parquet file whose columns have types, with the same bytes each time."""

from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from llm_assets.core.export import ExportTable
from llm_assets.core.safe_cells import replace_unholdable
from llm_assets.core.typed_columns import TypedColumn, TypedKind, build_typed_column
from llm_assets.errors import ConfigError
from llm_assets.gateways.tables.whole_file import open_whole
from llm_assets.gateways.tables.written_export import WrittenExport

ROWS_PER_GROUP = 65_536
_NAMES: dict[TypedKind, str] = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "bool_",
    "date": "date32",
}


def write_parquet(path: Path, table: ExportTable) -> WrittenExport:
    """Write a column of its own type for each column of the table; `build_typed_column` says which.

    Half characters (lone surrogates) and NUL become U+FFFD. The file appears whole or not at all; `StorageError`
    where it cannot be written, `ConfigError` where pyarrow is not installed.
    """
    pa, parquet = import_pyarrow()
    arrays, fields, n_replaced = [], [], 0
    for column in table.meta.columns:
        typed = build_typed_column(
            [record.values.get(column.name) for record in table.records], column.kind
        )
        values, n = _hold(typed)
        n_replaced += n
        fields.append(pa.field(replace_unholdable(column.name), _build_type(pa, typed.kind)))
        arrays.append(pa.array(values, type=fields[-1].type))
    with open_whole(path) as stream:
        parquet.write_table(
            pa.Table.from_arrays(arrays, schema=pa.schema(fields)),
            stream,
            compression="zstd",
            row_group_size=ROWS_PER_GROUP,
        )
    return WrittenExport(n_rows=len(table.records), n_replaced=n_replaced)


def import_pyarrow() -> tuple[ModuleType, ModuleType]:
    """The package that knows parquet, and its part for files; `ConfigError` where it is not installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as exc:
        raise _build_missing_error() from exc
    return pa, parquet


def check_pyarrow() -> None:
    """Make sure that pyarrow is installed, without the third of a second that importing it takes."""
    if find_spec("pyarrow") is None:
        raise _build_missing_error()


def _build_missing_error() -> ConfigError:
    return ConfigError(
        "`export.formats` names parquet, which needs the package pyarrow, and that is not installed.",
        remedy="Run `pip install 'llm-assets[parquet]'`, or take `parquet` out.",
    )


def _hold(typed: TypedColumn) -> tuple[list[object], int]:
    """The values as a file can hold them, and how many of them had to change for it."""
    if typed.kind != "text":
        return list(typed.values), 0
    held = [replace_unholdable(text) if isinstance(text, str) else None for text in typed.values]
    return list(held), sum(text != before for text, before in zip(held, typed.values, strict=True))


def _build_type(pa: ModuleType, kind: TypedKind) -> object:
    if kind == "instant":
        return pa.timestamp("us", tz="UTC")
    return pa.timestamp("us") if kind == "datetime" else getattr(pa, _NAMES[kind])()
