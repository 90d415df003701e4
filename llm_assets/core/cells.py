"""What is left of a cell once its dirt is taken off."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llm_assets.config.task import CleaningSettings
from llm_assets.core.values import Scalar

_BREAK = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]")
"""Tabs and everything that Unicode calls a line break."""
_WHITE_SPACE = re.compile(r"\s+")
_ESCAPED_DELIMITER = re.compile(r"\\([,;|])")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRules:
    """What is done to the cells of one column."""

    trim: bool
    flatten_whitespace: bool
    undo_escapes: bool
    null_tokens: frozenset[str]


def build_cell_rules(settings: CleaningSettings, *, column: str) -> CellRules:
    """The rules for one column: its own null tokens stand in place of the general ones."""
    return CellRules(
        trim=settings.trim,
        flatten_whitespace=settings.flatten_whitespace,
        undo_escapes=settings.undo_escapes,
        null_tokens=frozenset(settings.null_tokens_by_column.get(column, settings.null_tokens)),
    )


def tidy_cell(text: str, rules: CellRules) -> str:
    """The text without escapes, outer white space and line breaks, as far as the rules ask for it.

    White space around a line break or tab goes with it; other runs of spaces stay as they are.
    """
    if rules.undo_escapes and "\\" in text:
        text = _ESCAPED_DELIMITER.sub(r"\1", text)
    if rules.trim:
        text = text.strip()
    # Most cells are plain; isprintable() tells so in less time than the expression takes.
    if rules.flatten_whitespace and not text.isprintable() and _BREAK.search(text):
        text = _WHITE_SPACE.sub(_flatten, text)
    return text


def clean_cell(cell: Scalar, rules: CellRules) -> Scalar:
    """The tidied cell, or "" where that equals a null token; what is not text stays as it is."""
    if not isinstance(cell, str):
        return cell
    text = tidy_cell(cell, rules)
    return "" if text in rules.null_tokens else text


def is_nulled(cell: Scalar, rules: CellRules) -> bool:
    """Whether it was a null token, and not mere white space, that made this cell empty."""
    if not isinstance(cell, str):
        return False
    text = tidy_cell(cell, rules)
    return text != "" and text in rules.null_tokens


def clean_cells(cells: Sequence[Scalar], rules: Sequence[CellRules]) -> list[Scalar]:
    """The cells of one row, each by its column's rules."""
    return [clean_cell(cell, rule) for cell, rule in zip(cells, rules, strict=True)]


def _flatten(run: re.Match[str]) -> str:
    return " " if _BREAK.search(run[0]) else run[0]
