"""How a value of a format that knows types becomes a cell.

With `types: text` equal tables give equal text whatever their format: 3.0 is "3", yes is "true", a date is
ISO 8601, a duration is hours:minutes:seconds, what is missing or not a number is "", and lists and objects are
JSON. With `types: keep` whole and broken numbers, booleans and missing values stay what they are, and all else
is the same text; a decimal number is text too, so that no digit is lost.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal, cast

from llm_assets.core.fingerprint import render_json
from llm_assets.core.values import Scalar

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_EXACT_WHOLE_NUMBERS = 2.0**53
"""Below it a float tells every whole number from its neighbours."""


def decide_cell_builder(types: Literal["text", "keep"]) -> Callable[[object], Scalar]:
    """The function that makes a cell of a value; it raises `ValueError` for a type that no cell can hold."""
    return build_text_cell if types == "text" else build_typed_cell


def replace_lone_surrogates(text: str) -> str:
    """The text with U+FFFD for each half of a character, which no file could hold."""
    if text.isascii():
        return text
    return _LONE_SURROGATES.sub("\ufffd", text)


def build_text_cell(value: object) -> str:
    """The cell of a value where every cell is text."""
    if isinstance(value, str):
        return replace_lone_surrogates(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _render_float(value)
    return _render_other(value)


def build_typed_cell(value: object) -> Scalar:
    """The cell of a value where numbers and booleans stay what they are."""
    if isinstance(value, str):
        return replace_lone_surrogates(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else _render_float(value)
    return _render_other(value)


def build_whole_number(value: float) -> int | float:
    """A whole number as `int`, for formats that store every number as a float."""
    return int(value) if value.is_integer() and abs(value) < _EXACT_WHOLE_NUMBERS else value


def _render_float(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(build_whole_number(value))


def _render_other(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _render_duration(value)
    return render_json(_build_plain(value))


def _render_duration(value: timedelta) -> str:
    sign = "-" if value < timedelta(0) else ""
    minutes, seconds = divmod(abs(value), timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    rest = f"{seconds.total_seconds():09.6f}".rstrip("0").rstrip(".")
    return f"{sign}{hours}:{minutes:02}:{rest}"


def _build_plain(value: object) -> object:
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        return {build_text_cell(key): _build_plain(entry) for key, entry in entries.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_build_plain(entry) for entry in cast("Sequence[object]", value)]
    if isinstance(value, bytes):
        raise ValueError("it holds bytes, which are not text")  # noqa: TRY004 - the value is at fault, not the caller
    if value is None or isinstance(
        value, str | int | float | Decimal | datetime | date | time | timedelta
    ):
        return build_typed_cell(value)
    raise ValueError(f"it holds a value of the type {type(value).__name__}, which no cell can hold")
