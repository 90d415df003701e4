"""What a cell of a review workbook holds, whether a person changed it, and what it then says.

Spreadsheet programs rewrite what they save: 4 becomes 4.0, a line end becomes another one, the last digit of a number
may go. A cell counts as changed only where a person must have done it.
"""

import math
import re
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.config.export import ColumnType
from llm_assets.core.export_values import ColumnKind, is_of_kind, read_as
from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_match import parse_json_value
from llm_assets.core.review_columns import ReviewColumn
from llm_assets.core.safe_cells import (
    cut_spelled,
    render_cell,
    replace_outside_xml,
    spell_for_workbook,
)
from llm_assets.errors import suggest

Cell = str | int | float | bool | None
"""None is an empty cell; a day or a moment is text in ISO 8601 form."""

EXACT_INTEGERS = 2**53
"""A workbook keeps every number as a float; whole numbers from here on are written as text."""
ROUNDING = 1e-13
"""Programs keep 15 to 17 digits of a number."""
MAX_CHOICES_SHOWN = 20

_SPELLED = re.compile("_x([0-9A-Fa-f]{4})_")
_LINE_END = re.compile("\r\n?")
_MIDNIGHT = "T00:00:00"
_READ_AS: dict[ColumnKind, ColumnType] = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
}
_KIND_WORDS: dict[ColumnKind, str] = {
    "integer": "a whole number",
    "number": "a number such as 0.8",
    "boolean": "true or false",
    "date": "a day such as 2026-03-01",
    "datetime": "a moment such as 2026-03-01T10:30:00",
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that says nothing the column could hold."""

    sentence: str


def build_cell(value: JsonValue) -> Cell:
    """The cell of a value, as a reader will find it; text that no cell can hold is cut, with a mark."""
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int) and abs(value) < EXACT_INTEGERS:
        return value
    return _unspell(spell_text(render_cell(value))) or None


def spell_text(text: str) -> str:
    """The text as a workbook spells it, as far as a cell holds it."""
    spelled = spell_for_workbook(replace_outside_xml(text))
    return cut_spelled(spelled, n_characters=len(text))


def is_cut(value: JsonValue) -> bool:
    """Whether a cell cannot hold the whole value, so that nobody can edit it there."""
    if not isinstance(value, str | list | dict):
        return False
    text = replace_outside_xml(render_cell(value))
    return _unspell(spell_text(text)) != text


def _unspell(spelled: str) -> str:
    return _SPELLED.sub(lambda match: chr(int(match[1], 16)), spelled)


def render_plain(cell: Cell) -> str:
    """The cell as text by which two programs' forms of the same are equal."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(cell, ".13g")
    return _LINE_END.sub("\n", cell) if isinstance(cell, str) else str(cell)


def is_same(written: Cell, found: Cell) -> bool:
    """Whether what was found is what was written, whatever programs saved it in between."""
    if isinstance(written, bool):
        return render_plain(found).strip().lower() == render_plain(written)
    if isinstance(written, int | float):
        number = read_as(found, "number")
        return (
            isinstance(number, int | float)
            and not isinstance(number, bool)
            and math.isclose(number, written, rel_tol=ROUNDING)
        )
    return render_plain(found) == render_plain(written)


def read_value(cell: Cell, column: ReviewColumn) -> JsonValue | Unreadable:
    """What a person wrote into a cell of an output column; the output model has still to accept it."""
    text = render_plain(cell)
    if not text.strip():
        return "" if column.kind == "text" and not column.is_nullable else None
    if column.choices:
        return _read_choice(text, column.choices)
    if column.kind == "text":
        return text
    if column.kind not in _READ_AS:
        return _read_json(cell, text)
    wanted = text.strip().removesuffix(_MIDNIGHT) if column.kind == "date" else text
    value = read_as(wanted, _READ_AS[column.kind])
    if value is None or not is_of_kind(value, column.kind):
        return Unreadable(f"{text!r} is not {_KIND_WORDS[column.kind]}")
    return value


def _read_choice(text: str, choices: tuple[JsonValue, ...]) -> JsonValue | Unreadable:
    by_text = {render_plain(build_cell(choice)): choice for choice in choices}
    if text in by_text:
        return by_text[text]
    if text.strip() in by_text:
        return by_text[text.strip()]
    shown = ", ".join(list(by_text)[:MAX_CHOICES_SHOWN])
    return Unreadable(f"{text!r} is none of: {shown}. {suggest(text, by_text)}".strip())


def _read_json(cell: Cell, text: str) -> JsonValue | Unreadable:
    """Lists and objects as JSON; anything else that is none is text."""
    if isinstance(cell, int | float):
        return read_as(text, "number") if not isinstance(cell, bool) else cell
    try:
        value = parse_json_value(text)
        render_json(value)
    except (ValueError, RecursionError) as exc:
        if text.lstrip()[0] in '[{"':
            return Unreadable(f"it is not valid JSON ({exc})")
        return text
    return value
