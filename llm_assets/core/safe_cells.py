"""What a text has to become so that a cell can hold it and a spreadsheet runs nothing in it."""

import re

from pydantic import JsonValue

from llm_assets.core.characters import replace_unstorable
from llm_assets.core.fingerprint import render_json

MAX_CELL_UNITS = 32_767
"""The most a cell of a workbook holds, in units of UTF-16; Excel calls a file with more damaged."""

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read the wide signs too
_PLAIN_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?%?")
_OUTSIDE_XML = re.compile("[\ufffe\uffff]")
# A workbook spells characters that XML lacks as _xHHHH_, so text that looks like that has to be spelled, too.
_TO_SPELL = re.compile("_(?=x[0-9A-Fa-f]{4}(?:_|[\x01-\x08\x0b-\x1f]))|[\x01-\x08\x0b-\x1f]")
_SPELLED = re.compile(r"_x[0-9A-F]{4}_")


def render_cell(value: JsonValue) -> str:
    """The value as text: nothing for one that is not there, JSON for what is not text. Prompts say it so as well."""
    if value is None:
        return ""
    return value if isinstance(value, str) else render_json(value)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run the text; a plain number with a sign is none."""
    return text.startswith(_FORMULA_START) and not _PLAIN_NUMBER.fullmatch(text)


def replace_unholdable(text: str) -> str:
    """The text with U+FFFD for what no file of text can hold: half characters (lone surrogates) and NUL."""
    if text.isascii() and "\0" not in text:
        return text
    return replace_unstorable(text)


def replace_outside_xml(text: str) -> str:
    """As `replace_unholdable`, and also for the two characters that XML has no spelling for."""
    return (
        text
        if text.isascii() and "\0" not in text
        else _OUTSIDE_XML.sub("\ufffd", replace_unstorable(text))
    )


def spell_for_workbook(text: str) -> str:
    """The text as a workbook spells it: control characters, CR among them, as `_x000D_`.

    Spreadsheet programs and readers give the characters back.
    """
    if text.isprintable() and "_x" not in text:
        return text
    return _TO_SPELL.sub(_spell, text)


def cut_spelled(spelled: str, *, n_characters: int) -> str:
    """The spelled text as far as a cell holds it; where it is cut, a mark says how many characters there were."""
    if len(spelled) <= MAX_CELL_UNITS // 2 or _count_units(spelled) <= MAX_CELL_UNITS:
        return spelled
    mark = f"… [cut here: {n_characters:,} characters in all]"
    units = spelled.encode("utf-16-le")[: 2 * (MAX_CELL_UNITS - len(mark))]
    end = len(units.decode("utf-16-le", "ignore"))
    broken = (match for match in _SPELLED.finditer(spelled) if match.end() > end)
    first = next(broken, None)
    return spelled[: end if first is None else min(end, first.start())] + mark


def _spell(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def _count_units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
