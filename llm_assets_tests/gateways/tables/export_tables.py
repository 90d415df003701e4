"""Export tables for the writers, and what a reader finds where one was written."""

from datetime import time
from typing import Any

from llm_assets.config.export import ExportFormat
from llm_assets.core.export import ExportMeta, ExportRow, ExportTable
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.export_values import ColumnKind, parse_datetime
from llm_assets.core.ids import WorkId
from llm_assets.core.safe_cells import (
    is_formula,
    render_cell,
    replace_outside_xml,
    replace_unholdable,
)
from llm_assets.core.typed_columns import build_typed_column
from llm_assets.gateways.tables.typed_cells import build_typed_cell
from llm_assets.gateways.tables.workbook_cells import FIRST_DAY

Row = tuple[Any, ...]


def build_table(
    *rows: Row, names=("a", "b"), kinds: tuple[ColumnKind, ...] | None = None
) -> ExportTable:
    """A table of these rows; its columns are of text unless kinds are given."""
    columns = tuple(
        ExportColumn(name=name, source="input", path=(name,), kind=kind)
        for name, kind in zip(names, kinds or ("text",) * len(names), strict=True)
    )
    return ExportTable(
        meta=ExportMeta(
            columns=columns,
            n_rows=len(rows),
            n_accepted=len(rows),
            n_left_out=0,
            is_rehearsal=False,
        ),
        records=tuple(
            ExportRow(work_id=WorkId("w"), values=dict(zip(names, row, strict=True)))
            for row in rows
        ),
    )


def build_expected(table: ExportTable, export_format: ExportFormat) -> list[Row]:
    """What the project's own reader finds with `types: keep` where the table was written in this format."""
    columns = [
        _EXPECTED[export_format](
            [record.values[column.name] for record in table.records], column.kind
        )
        for column in table.meta.columns
    ]
    return list(zip(*columns, strict=True))


def _expect_delimited(values: list[Any], kind: ColumnKind) -> list[str]:
    cells = [replace_unholdable(render_cell(value)) for value in values]
    return [f"'{cell}" if is_formula(cell) else cell for cell in cells]


def _expect_json_lines(values: list[Any], kind: ColumnKind) -> list[Any]:
    return [build_typed_cell(value) for value in values]


def _expect_workbook(values: list[Any], kind: ColumnKind) -> list[Any]:
    return [_expect_workbook_cell(value, kind) for value in values]


def _expect_workbook_cell(value: Any, kind: ColumnKind) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value
    if kind == "decimal" and value is not None:
        return float(value)
    if kind == "datetime" and value is not None:
        return _expect_workbook_moment(value)
    return replace_outside_xml(render_cell(value))


def _expect_workbook_moment(text: str) -> str:
    """A workbook cannot tell midnight from the day."""
    moment = parse_datetime(text)
    assert moment is not None
    is_day = moment.tzinfo is None and moment.time() == time()
    return text[:10] if is_day and moment.date() >= FIRST_DAY else text


def _expect_parquet(values: list[Any], kind: ColumnKind) -> list[Any]:
    typed = build_typed_column(values, kind)
    return [
        replace_unholdable(value) if isinstance(value, str) else build_typed_cell(value)
        for value in typed.values
    ]


_EXPECTED = {
    "csv": _expect_delimited,
    "psv": _expect_delimited,
    "tsv": _expect_delimited,
    "jsonl": _expect_json_lines,
    "xlsx": _expect_workbook,
    "parquet": _expect_parquet,
}
