"""What Dagster knows about an export as a DataFrame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from pydantic import JsonValue

from llm_assets.core.export import ExportTable
from llm_assets.core.export_columns import ColumnKind, ExportColumn

if TYPE_CHECKING:
    import pandas as pd
    from dagster import DagsterType

_DTYPES: dict[ColumnKind, str] = {
    "text": "string",
    "integer": "Int64",
    "number": "Float64",
    "boolean": "boolean",
}
"""The types of pandas that know a missing value; lists and objects stay Python values."""

_PYTHON_TYPES: dict[ColumnKind, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def build_export_frame(table: ExportTable) -> "pd.DataFrame":
    """The export as a DataFrame, each column of its kind.

    A column whose values do not fit its kind keeps them as Python values; the type of `build_export_type` tells.
    """
    import pandas as pd

    rows = [record.values for record in table.records]  # noqa: PD011 - our own field, not a frame's
    columns = {
        column.name: _build_series([row.get(column.name) for row in rows], column.kind)
        for column in table.meta.columns
    }
    return pd.DataFrame(columns)


def build_export_type(name: str, columns: Sequence[ExportColumn]) -> "DagsterType":
    """A dagster-pandas type that holds a frame to these columns and their kinds.

    `name` is that of the type: letters, digits and underscores. Importing dagster-pandas takes 2.4 s, so this is
    for the moment when a frame is at hand and not for the load of the definitions.
    """
    from dagster_pandas import (
        PandasColumn,
        create_dagster_pandas_dataframe_type,  # pyright: ignore[reportUnknownVariableType] - untyped there
    )

    described = [
        PandasColumn(column.name, constraints=_build_constraints(column.kind)) for column in columns
    ]
    return create_dagster_pandas_dataframe_type(
        name, description="Rows, outputs and what became of each.", columns=described
    )


def _build_series(values: list[JsonValue], kind: ColumnKind) -> "pd.Series":
    import pandas as pd

    plain = pd.Series(values, dtype=object)
    dtype = _DTYPES.get(kind)
    if dtype is None or not all(_is_of_kind(value, kind) for value in values):
        return plain
    try:
        return plain.astype(dtype)
    except OverflowError:  # JSON has integers of more than 64 bits
        return plain


def _is_of_kind(value: object, kind: ColumnKind) -> bool:
    types = _PYTHON_TYPES.get(kind)
    if types is None or value is None:
        return True
    return isinstance(value, types) and isinstance(value, bool) is (kind == "boolean")


def _build_constraints(kind: ColumnKind) -> list[Any]:
    """One that looks at the values: a dtype alone would refuse an integer of more than 64 bits."""
    from dagster_pandas.constraints import ColumnConstraint, ColumnConstraintViolationException

    class HoldsKind(ColumnConstraint):
        """Every value that is there is of the column's kind."""

        def validate(self, dataframe: "pd.DataFrame", column_name: str) -> None:
            values = cast("list[object]", dataframe[column_name].dropna().tolist())
            wrong = next((value for value in values if not _is_of_kind(value, kind)), None)
            if wrong is not None:
                raise ColumnConstraintViolationException(
                    constraint_name=f"holds {kind}",
                    constraint_description=f"a value is a {type(wrong).__name__}",
                    column_name=column_name,
                )

    sentence = f"Every value that is there is {kind}."
    return [HoldsKind(error_description=sentence, markdown_description=sentence)]
