"""What the export stage says about the types of its columns."""

import dagster as dg

from llm_assets.core.export import ExportTable
from llm_assets.core.export_misfits import find_misfits
from llm_assets.core.markdown import escape_markdown, render_table

CHECK_NAME = "column_types"


def build_types_spec(export_key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check that comes with every export."""
    return dg.AssetCheckSpec(
        CHECK_NAME,
        asset=export_key,
        description="Every value is of its column's kind: the schema's, or the `type` in `export.columns`.",
    )


def check_types(table: ExportTable) -> dg.AssetCheckResult:
    """A warning where a value is of another kind than its column; the files hold it as it is."""
    misfits = {misfit.column.name: misfit for misfit in find_misfits(table)}
    first = next(iter(misfits.values()), None)
    rows = [
        [
            escape_markdown(column.name),
            column.kind,
            column.source,
            str(misfits[column.name].n_values) if column.name in misfits else "",
        ]
        for column in table.meta.columns
    ]
    header = ["column", "kind", "from", "values of another kind"]
    return dg.AssetCheckResult(
        check_name=CHECK_NAME,
        passed=first is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=None
        if first is None
        else f"{first.column.name}: {first.n_values:,} values are not {first.column.kind}, the first in row "
        f"{first.first_row}. They are exported as they are.",
        metadata={"columns": dg.MetadataValue.md(render_table(header, rows))},
    )
