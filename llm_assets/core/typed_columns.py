"""Which one type holds all values of a column, for formats whose columns have types."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import JsonValue

from llm_assets.core.export_values import (
    ColumnKind,
    find_exact_float,
    parse_date,
    parse_datetime,
)
from llm_assets.core.safe_cells import render_cell

TypedKind = Literal["text", "integer", "number", "boolean", "date", "datetime", "instant"]
"""`instant` is a moment with its offset from UTC, `datetime` one without."""
TypedValue = str | int | float | bool | date | datetime | None

INTEGER_LIMIT = 2**63
FLOAT_LIMIT = sys.float_info.max


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedColumn:
    """The values of a column, all of one kind; None where there is none."""

    kind: TypedKind
    values: tuple[TypedValue, ...]


def build_typed_column(values: Sequence[JsonValue], kind: ColumnKind) -> TypedColumn:
    """The column as its kind, where that holds every value of it exactly; otherwise as text.

    Text takes whole numbers of more than 64 bits, moments some of which have an offset and some not, and values
    that are not of the column's kind. Lists, objects and mixed values are JSON text.
    """
    for typed_kind, read in _READERS.get(kind, ()):
        typed = _read_all(values, read)
        if typed is not None:
            return TypedColumn(kind=typed_kind, values=typed)
    texts = tuple(None if value is None else render_cell(value) for value in values)
    return TypedColumn(kind="text", values=texts)


def _read_all(
    values: Sequence[JsonValue], read: Callable[[JsonValue], TypedValue]
) -> tuple[TypedValue, ...] | None:
    """All values as their type, or None as soon as one is not of it."""
    typed: list[TypedValue] = []
    for value in values:
        read_value = None if value is None else read(value)
        if read_value is None and value is not None:
            return None
        typed.append(read_value)
    return tuple(typed)


def _read_integer(value: JsonValue) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -INTEGER_LIMIT <= value < INTEGER_LIMIT else None


def _read_number(value: JsonValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= FLOAT_LIMIT and float(value) == value else None


def _read_boolean(value: JsonValue) -> bool | None:
    return value if isinstance(value, bool) else None


def _read_datetime(value: JsonValue) -> datetime | None:
    moment = parse_datetime(value)
    return moment if moment is not None and moment.tzinfo is None else None


def _read_instant(value: JsonValue) -> datetime | None:
    moment = parse_datetime(value)
    return moment if moment is not None and moment.tzinfo is not None else None


_READERS: dict[ColumnKind, tuple[tuple[TypedKind, Callable[[JsonValue], TypedValue]], ...]] = {
    "integer": (("integer", _read_integer),),
    "number": (("number", _read_number),),
    "decimal": (("number", find_exact_float),),
    "boolean": (("boolean", _read_boolean),),
    "date": (("date", parse_date),),
    "datetime": (("datetime", _read_datetime), ("instant", _read_instant)),
}
"""For each kind what it can be kept as, the first that fits."""
