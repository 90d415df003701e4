"""What Dagster knows about an export as a DataFrame: its columns, and whether their values are of their kinds."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from pydantic import JsonValue
from upath import UPath

from llm_assets.core.export import ExportTable
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.export_values import ColumnKind, is_of_kind
from llm_assets.gateways.artifacts import load_records
from llm_assets.gateways.export_frame import build_export_frame

if TYPE_CHECKING:
    import pandas as pd


def is_frame_type(wanted: type) -> bool:
    """Whether an asset asks for a DataFrame; pandas is not imported for the question."""
    return wanted.__name__ == "DataFrame" and wanted.__module__.split(".")[0] == "pandas"


def load_export_frame(context: dg.InputContext, path: UPath, *, shown: str) -> "pd.DataFrame":
    """The export that lies at a path as a frame, held to its dagster-pandas type.

    Where a value is not of its column's kind, the run's log says so, and the frame is handed over all the same.
    """
    table = load_records(path, ExportTable, shown=shown)
    frame = build_export_frame(table)
    name = context.asset_key.to_python_identifier()
    check = dg.check_dagster_type(build_export_type(name, table.meta.columns), frame)
    if not check.success:
        context.log.warning("%s: %s", shown, check.description)
    return frame


def build_export_type(name: str, columns: Sequence[ExportColumn]) -> dg.DagsterType:
    """A dagster-pandas type that holds a frame to these columns and their kinds.

    `name` is that of the type: letters, digits and underscores. Importing dagster-pandas takes pandas along, which
    is half a second of CPU and 100 MB, so this is for the moment when a frame is at hand and not for the load of
    the definitions.
    """
    from dagster_pandas import (
        PandasColumn,
        create_dagster_pandas_dataframe_type,  # pyright: ignore[reportUnknownVariableType] - untyped there
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        described = [
            PandasColumn(column.name, constraints=_build_constraints(column.kind))
            for column in columns
        ]
        return create_dagster_pandas_dataframe_type(
            name, description="Rows, outputs and what became of each.", columns=described
        )


def _build_constraints(kind: ColumnKind) -> list[Any]:
    """One that looks at the values where the frame could not give the column its type."""
    from dagster_pandas.constraints import ColumnConstraint, ColumnConstraintViolationException

    class HoldsKind(ColumnConstraint):
        """Every value that is there is of the column's kind."""

        def validate(self, dataframe: "pd.DataFrame", column_name: str) -> None:
            series = cast("pd.Series", dataframe[column_name])
            if series.dtype.name != "object":
                return
            values = cast("list[JsonValue]", series.tolist())
            wrong = [value for value in values if not is_of_kind(value, kind)]
            if wrong:
                raise ColumnConstraintViolationException(
                    constraint_name=f"holds {kind}",
                    constraint_description=f"{len(wrong):,} values are not {kind}, such as {wrong[0]!r:.60}",
                    column_name=column_name,
                )

    sentence = f"Every value that is there is {kind}."
    return [HoldsKind(error_description=sentence, markdown_description=sentence)]
