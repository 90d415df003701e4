"""Which values of an export are not of their column's kind."""

from dataclasses import dataclass

from llm_assets.core.export import ExportTable
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.export_values import ColumnKind, is_of_kind

_PLAIN_TYPES: dict[ColumnKind, set[type]] = {
    "text": {str},
    "integer": {int},
    "number": {int, float},
    "boolean": {bool},
}
"""Kinds that the types of the values tell, without a look at each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A column with values of another kind; in formats whose columns have types, all of it is text."""

    column: ExportColumn
    n_values: int
    first_row: int
    """The first row with such a value, from 1."""


def find_misfits(table: ExportTable) -> tuple[Misfit, ...]:
    """One entry for each column that holds values of another kind than its own, in the order of the columns."""
    found = (_find_misfit(table, column) for column in table.meta.columns)
    return tuple(misfit for misfit in found if misfit is not None)


def _find_misfit(table: ExportTable, column: ExportColumn) -> Misfit | None:
    values = [record.values.get(column.name) for record in table.records]
    types = set(map(type, values)) - {type(None)}
    if column.kind == "json" or types <= _PLAIN_TYPES.get(column.kind, set()):
        return None
    wrong = [row for row, value in enumerate(values, start=1) if not is_of_kind(value, column.kind)]
    if not wrong:
        return None
    return Misfit(column=column, n_values=len(wrong), first_row=wrong[0])
