"""What a value of an export is read as, and whether it is of its column's kind."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

from pydantic import JsonValue

from llm_assets.config.export import ColumnType
from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_match import parse_json_value

ColumnKind = Literal["text", "integer", "number", "decimal", "boolean", "date", "datetime", "json"]
"""`json` is everything that is not one plain type: lists, free objects, mixed values.

JSON has no dates and no exact numbers: `date` and `datetime` are text in ISO 8601 form, `decimal` that of a number.
"""

_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_NUMBER = re.compile(r"[-+]?([0-9]{1,400}(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,6})?)?(Z|[-+][0-9]{2}:?[0-9]{2})?"
)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_as(value: JsonValue, wanted: ColumnType) -> JsonValue:
    """The value as one of this type; itself where it cannot be read so.

    Blank text is a value that is not there, unless text is wanted.
    """
    if value is None:
        return None
    if wanted == "text":
        return value if isinstance(value, str) else render_json(value)
    text = value.strip() if isinstance(value, str) else render_json(value)
    if not text:
        return None
    try:
        return _READERS[wanted](text)
    except ValueError:
        return value


def is_of_kind(value: JsonValue, kind: ColumnKind) -> bool:
    """Whether the value is of this kind; one that is not there is of every kind."""
    return value is None or _CHECKS[kind](value)


def parse_date(value: JsonValue) -> date | None:
    """The day that a text in ISO 8601 form names."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def parse_datetime(value: JsonValue) -> datetime | None:
    """The moment that a text in ISO 8601 form names, with an offset from UTC where the text has one."""
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def find_exact_float(value: JsonValue) -> float | None:
    """The float whose shortest spelling is the very number that a text spells; None where there is none."""
    number = _parse_decimal(value)
    if number is None:
        return None
    nearest = float(number)
    return nearest if math.isfinite(nearest) and Decimal(repr(nearest)) == number else None


def _parse_decimal(value: JsonValue) -> Decimal | None:
    if not isinstance(value, str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _read_integer(text: str) -> int:
    number = _read_number(text)
    if isinstance(number, float) and not number.is_integer():
        raise ValueError(text)
    return int(number)


def _read_number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text) or not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _read_boolean(text: str) -> bool:
    if (value := _BOOLEANS.get(text.lower())) is None:
        raise ValueError(text)
    return value


def _read_date(text: str) -> str:
    if parse_date(text) is None:
        raise ValueError(text)
    return text


def _read_datetime(text: str) -> str:
    if (day := parse_date(text)) is not None:
        return datetime(day.year, day.month, day.day).isoformat()  # noqa: DTZ001 - a day has no offset either
    if parse_datetime(text) is None:
        raise ValueError(text)
    return text


_READERS: dict[ColumnType, Callable[[str], JsonValue]] = {
    "integer": _read_integer,
    "number": _read_number,
    "boolean": _read_boolean,
    "date": _read_date,
    "datetime": _read_datetime,
    "json": parse_json_value,
}

_CHECKS: dict[ColumnKind, Callable[[JsonValue], bool]] = {
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "decimal": lambda value: _parse_decimal(value) is not None,
    "boolean": lambda value: isinstance(value, bool),
    "date": lambda value: parse_date(value) is not None,
    "datetime": lambda value: parse_datetime(value) is not None,
    "json": lambda value: True,  # noqa: ARG005 - every value is JSON
}
