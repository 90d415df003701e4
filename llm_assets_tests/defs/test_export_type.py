from typing import Any

import pytest
from dagster import check_dagster_type

from llm_assets.core.export import ExportMeta, ExportRow, ExportTable
from llm_assets.core.export_columns import ColumnKind, ExportColumn
from llm_assets.core.ids import WorkId
from llm_assets.defs.export_type import build_export_frame, build_export_type

VALUES: dict[ColumnKind, list] = {
    "text": ["a", None],
    "integer": [1, None],
    "number": [1, 2.5],
    "boolean": [None, True],
    "json": [[1], {"k": 2}],
}


def build_table(values: dict[ColumnKind, list]) -> ExportTable:
    columns = tuple(
        ExportColumn(name=kind, source="output", path=(kind,), kind=kind) for kind in values
    )
    rows: list[dict[str, Any]] = [
        dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)
    ]
    return ExportTable(
        meta=ExportMeta(
            columns=columns, n_rows=len(rows), n_accepted=0, n_left_out=0, is_rehearsal=False
        ),
        records=tuple(ExportRow(work_id=WorkId("w"), values=row) for row in rows),
    )


def check(table: ExportTable):
    frame = build_export_frame(table)
    kind = build_export_type("Export", table.meta.columns)
    return frame, check_dagster_type(kind, frame)


def test_frame_has_the_kinds_of_its_columns():
    """Each column has a pandas type that knows missing values, and the type accepts the frame."""
    frame, result = check(build_table(VALUES))
    assert [str(dtype) for dtype in frame.dtypes] == [
        "string",
        "Int64",
        "Float64",
        "boolean",
        "object",
    ]
    assert result.success


def test_empty_frame_keeps_its_columns():
    """A batch without rows is a frame with every column, and fits."""
    frame, result = check(build_table({kind: [] for kind in VALUES}))
    assert list(frame.columns) == list(VALUES)
    assert result.success


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["a", 1]),
        ("integer", [1, "one"]),
        ("integer", [1, True]),
        ("number", ["2.5", 1.0]),
        ("boolean", [1, True]),
    ],
)
def test_value_of_another_kind_is_told(kind, values):
    """A value that is not of its column's kind fails the type check, which names the column."""
    _, result = check(build_table({kind: values}))
    assert not result.success
    assert kind in result.description


def test_integer_of_more_than_64_bits_fits():
    """JSON knows larger integers than pandas; they stay Python's and pass."""
    frame, result = check(build_table({"integer": [10**30, None]}))
    assert frame["integer"][0] == 10**30
    assert result.success


def test_missing_column_is_told():
    """A frame without one of the columns fails."""
    table = build_table(VALUES)
    kind = build_export_type("Export", table.meta.columns)
    result = check_dagster_type(kind, build_export_frame(table).drop(columns="text"))
    assert not result.success
