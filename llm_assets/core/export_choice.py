"""Which of the columns there are a person chose, under which names and in which order."""

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from llm_assets.config.export import ExportColumnSettings
from llm_assets.core.export_columns import (
    REHEARSAL_COLUMN,
    ColumnSource,
    ExportColumn,
    build_unique_names,
)
from llm_assets.errors import ConfigError, suggest

ALL = "*"
PATTERNS: dict[str, tuple[ColumnSource, ...]] = {
    ALL: get_args(ColumnSource),
    **{f"{source}.*": (source,) for source in get_args(ColumnSource)},
}
"""What stands for every column of these sources that is not named."""


def decide_columns(
    available: Sequence[ExportColumn],
    *,
    chosen: Sequence[ExportColumnSettings],
    is_rehearsal: bool,
) -> tuple[ExportColumn, ...]:
    """The chosen columns in the chosen order; all of them where none is chosen.

    A rehearsal always says so, line by line. `ConfigError` names every unknown or repeated choice.
    """
    if not chosen:
        return tuple(available)
    by_name = {column.name: column for column in available}
    _check_choice(chosen, by_name)
    named = {choice.column for choice in chosen}
    columns: list[ExportColumn] = []
    for choice in chosen:
        if choice.column in by_name:
            columns.append(_build_column(by_name[choice.column], choice))
        else:
            columns += _list_others(available, named, columns, pattern=choice.column)
    _check_names(columns)
    is_marked = any(map(_is_mark, columns))
    marks = [column for column in available if is_rehearsal and not is_marked and _is_mark(column)]
    return build_unique_names([*columns, *marks])


def _build_column(column: ExportColumn, choice: ExportColumnSettings) -> ExportColumn:
    return column.model_copy(
        update={"name": choice.as_ or column.name, "kind": choice.type or column.kind}
    )


def _list_others(
    available: Sequence[ExportColumn],
    named: set[str],
    taken: Sequence[ExportColumn],
    *,
    pattern: str,
) -> list[ExportColumn]:
    """What a pattern stands for: neither named anywhere in the list nor taken by a pattern before it."""
    places = {(column.source, column.path) for column in taken}
    return [
        column
        for column in available
        if column.source in PATTERNS[pattern]
        and column.name not in named
        and (column.source, column.path) not in places
    ]


def _is_mark(column: ExportColumn) -> bool:
    return (column.source, column.path) == ("status", (REHEARSAL_COLUMN,))


def _check_choice(chosen: Sequence[ExportColumnSettings], by_name: dict[str, ExportColumn]) -> None:
    problems: list[str] = []
    for choice in chosen:
        if choice.column in by_name:
            continue
        if choice.column not in PATTERNS:
            what = f"there is no column {choice.column!r}. {suggest(choice.column, by_name)}"
            problems.append(what.strip())
        elif choice.as_ or choice.type:
            problems.append(f"{choice.column!r} stands for many columns and takes no name or type.")
    if problems:
        raise _build_error(problems, remedy=f"Choose from: {', '.join(by_name)}.")


def _check_names(columns: Sequence[ExportColumn]) -> None:
    counts = Counter(column.name for column in columns)
    problems = [f"two columns would be named {name!r}." for name, n in counts.items() if n > 1]
    if problems:
        raise _build_error(problems, remedy="Name each once, or give one of them another `as`.")


def _build_error(problems: Sequence[str], *, remedy: str) -> ConfigError:
    return ConfigError(
        f"`export.columns` does not fit this batch: {' '.join(problems)}", remedy=remedy
    )
