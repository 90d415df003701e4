"""Which rules every block of settings shares."""

import re
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue


class Settings(BaseModel):
    """A block of a config file: frozen, and an unknown key in it is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        protected_namespaces=(),
        allow_inf_nan=False,
    )


class PlainScalar(str):
    """An unquoted YAML scalar as it was typed.

    The type of the field it lands in decides what it means, so `no`, `12:30`, `007` and `1.10` stay text in a
    text field and become numbers only where a number is asked for.
    """

    __slots__ = ()


_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}


def parse_free_value(value: object) -> object:
    """A value for a field of any JSON type: unquoted scalars are read by the YAML 1.2 rules."""
    if isinstance(value, PlainScalar):
        if value in _WORDS:
            return _WORDS[value]
        if _NUMBER.fullmatch(value):
            return float(value) if any(mark in value for mark in ".eE") else int(value)
        return str(value)
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        return {str(key): parse_free_value(entry) for key, entry in entries.items()}
    if isinstance(value, list):
        return [parse_free_value(entry) for entry in cast("list[object]", value)]
    return value


FreeValue = Annotated[JsonValue, BeforeValidator(parse_free_value)]
"""Any JSON value a person may write, such as a provider's own parameter."""

LEFT_OUT_IF_NONE: Any = Field(exclude_if=lambda value: value is None)
"""Of a setting that is part of a dump only where it is given: dumps are hashed, and a new one must change no hash."""
LEFT_OUT_IF_EMPTY: Any = Field(exclude_if=lambda value: not value)
