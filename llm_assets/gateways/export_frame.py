"""What an export is as a DataFrame."""

from typing import TYPE_CHECKING

from llm_assets.core.export import ExportTable
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.typed_columns import TypedKind, build_typed_column

if TYPE_CHECKING:
    import pandas as pd

DTYPES: dict[TypedKind, str] = {
    "text": "string",
    "integer": "Int64",
    "number": "Float64",
    "boolean": "boolean",
    "date": "datetime64[s]",
    "datetime": "datetime64[us]",
    "instant": "datetime64[us, UTC]",
}
"""Types of pandas that know a missing value."""


def build_export_frame(table: ExportTable) -> "pd.DataFrame":
    """The export as a DataFrame, each column of its kind.

    Lists, objects and mixed values stay Python values, and so does a column with values that are not of its kind.
    """
    import pandas as pd

    # An index of its own, so that a table without rows is a frame with every column.
    index = pd.RangeIndex(len(table.records))
    series = {column.name: _build_series(table, column) for column in table.meta.columns}
    return pd.DataFrame(series, index=index)


def _build_series(table: ExportTable, column: ExportColumn) -> "pd.Series":
    import pandas as pd

    values = [row.values.get(column.name) for row in table.records]  # noqa: PD011 - our own field, not a frame's
    typed = build_typed_column(values, column.kind)
    is_text = column.kind == "text" and all(
        value is None or isinstance(value, str) for value in values
    )
    if typed.kind == "text" and not is_text:
        return pd.Series(values, dtype=object)
    return pd.Series(list(typed.values), dtype=object).astype(DTYPES[typed.kind])
