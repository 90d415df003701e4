"""Which columns of an export hold scores, and what stands in them."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from llm_assets.core.assessment import Assessment
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.ids import WorkId

SCORE_COLUMN = "assessment"
"""The score of the item; `assessment.<field>` are those of its fields."""


def build_score_columns(fields: Sequence[str] | None) -> tuple[ExportColumn, ...]:
    """The item's score and one column for each field; none where the task does not say what it expects."""
    if fields is None:
        return ()
    paths = {SCORE_COLUMN: ("total",)} | {
        f"{SCORE_COLUMN}.{name}": ("fields", name) for name in fields
    }
    return tuple(
        ExportColumn(name=name, source="assessment", path=path, kind="number")
        for name, path in paths.items()
    )


def list_score_values(assessment: Assessment | None) -> dict[WorkId, Mapping[str, JsonValue]]:
    """The values of these columns by item; an item that has no score has none of them."""
    records = () if assessment is None else assessment.records
    return {
        record.work_id: {
            "total": record.score,
            "fields": {field.name: field.score for field in record.fields},
        }
        for record in records
    }
