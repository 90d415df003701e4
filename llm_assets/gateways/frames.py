"""What does an export look like to code that works with pandas?"""

from typing import TYPE_CHECKING

from llm_assets.core.export import ExportTable

if TYPE_CHECKING:
    from pandas import DataFrame


def build_frame(table: ExportTable) -> "DataFrame":
    """The rows in their order, with the columns of the export and the values as they were answered."""
    import pandas as pd

    names = [column.name for column in table.meta.columns]
    rows = [row.values for row in table.records]  # noqa: PD011 -- of an export's row
    return pd.DataFrame(rows, columns=pd.Index(names))
