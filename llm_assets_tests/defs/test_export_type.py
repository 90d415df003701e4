import dagster as dg
import pandas as pd
import pytest
from dagster import check_dagster_type
from upath import UPath

from llm_assets.core.checks import decide_column_types
from llm_assets.core.export_values import ColumnKind
from llm_assets.defs.export_type import build_export_type
from llm_assets.defs.io_managers import ArtifactIOManager
from llm_assets.gateways.artifacts import write_records
from llm_assets.gateways.export_frame import build_export_frame
from llm_assets_tests.gateways.tables.export_tables import build_table

VALUES: dict[ColumnKind, list] = {
    "text": ["a", None],
    "integer": [1, None],
    "number": [1, 2.5],
    "decimal": ["0.0015", None],
    "boolean": [None, True],
    "date": ["2026-03-01", None],
    "datetime": ["9999-12-31T23:59:59", None],
    "json": [[1], {"k": 2}],
}


def build(values):
    rows = zip(*values.values(), strict=True)
    return build_table(*rows, names=tuple(values), kinds=tuple(values))


def check(table):
    frame = build_export_frame(table)
    return frame, check_dagster_type(build_export_type("Export", table.meta.columns), frame)


def test_a_frame_has_the_kinds_of_its_columns():
    """Each column has a pandas type that knows missing values, and the type accepts the frame."""
    frame, result = check(build(VALUES))
    assert [str(dtype) for dtype in frame.dtypes] == [
        "string",
        "Int64",
        "Float64",
        "Float64",
        "boolean",
        "datetime64[s]",
        "datetime64[us]",
        "object",
    ]
    assert result.success


def test_an_empty_frame_keeps_its_columns():
    """A batch without rows is a frame with every column of its type, and fits."""
    frame, result = check(build({kind: [] for kind in VALUES}))
    assert list(frame.columns) == list(VALUES)
    assert str(frame["integer"].dtype) == "Int64"
    assert result.success


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["a", 1]),
        ("integer", [1, "one"]),
        ("integer", [1, True]),
        ("number", ["2.5", 1.0]),
        ("boolean", [1, True]),
        ("date", ["2026-03-01", "soon"]),
    ],
)
def test_a_value_of_another_kind_is_told(kind, values):
    """The type check fails and names the column; the stage's check warns with the count and the row."""
    table = build({kind: values})
    _, result = check(table)
    assert not result.success
    assert kind in result.description
    stage_check = decide_column_types(table)
    assert not stage_check.is_passed
    assert f"not of the kind {kind}" in stage_check.sentence


def test_an_integer_of_more_than_64_bits_fits():
    """JSON knows larger integers than pandas; they stay Python's and pass."""
    frame, result = check(build({"integer": [10**30, None]}))
    assert frame["integer"][0] == 10**30
    assert result.success


def test_a_missing_column_is_told():
    """A frame without one of the columns fails."""
    table = build(VALUES)
    kind = build_export_type("Export", table.meta.columns)
    assert not check_dagster_type(kind, build_export_frame(table).drop(columns="text")).success


EXPORT = dg.AssetSpec(["triage", "export"], partitions_def=dg.StaticPartitionsDefinition(["may"]))
SEEN: list[pd.DataFrame] = []


@dg.asset(
    ins={"export": dg.AssetIn(EXPORT.key)},
    partitions_def=EXPORT.partitions_def,
)
def downstream(export: pd.DataFrame) -> None:
    SEEN.append(export)


def load_downstream(tmp_path, table, capsys):
    SEEN.clear()
    write_records(UPath(tmp_path) / "triage" / "export" / "may.jsonl", table)
    result = dg.materialize(
        [EXPORT, downstream],
        selection=[downstream],
        partition_key="may",
        resources={"io_manager": ArtifactIOManager(UPath(tmp_path))},
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert result.success
    (frame,) = SEEN
    return frame, capsys.readouterr().err


def test_an_asset_that_asks_for_a_frame_gets_one(tmp_path, capsys):
    """An asset downstream of an export takes it as a DataFrame with typed columns."""
    frame, log = load_downstream(tmp_path, build(VALUES), capsys)
    assert frame["integer"].tolist() == [1, pd.NA]
    assert str(frame["date"].dtype) == "datetime64[s]"
    assert "values are not" not in log


def test_a_frame_with_a_value_of_another_kind_is_told_in_the_log(tmp_path, capsys):
    """The frame is handed over with the value as it is, and the run's log names the column."""
    frame, log = load_downstream(tmp_path, build({"integer": [1, "one"]}), capsys)
    assert frame["integer"].tolist() == [1, "one"]
    assert "1 values are not integer, such as 'one'" in log
