"""How a row is written out for the model: which columns, in which order, how much of each value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from llm_assets.config.grouping import ContextSettings
from llm_assets.core.ids import RowId
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.values import FROZEN_RECORD, Scalar
from llm_assets.errors import ConfigError, suggest


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A text that a limit shortened."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    column: str | None
    """None where the whole context was cut."""
    row_id: RowId | None
    """The row whose value it was; None where the whole context was cut."""
    n_chars: int
    """Before the cut."""
    n_chars_kept: int


def decide_visible_columns(
    columns: tuple[str, ...], settings: ContextSettings, image_columns: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The columns the model may see as text, in the order in which a row is written out.

    `image_columns` name pictures, which stand in the place of their text. A name that no column has is a
    `ConfigError`, and so is an `exclude` that leaves nothing to see, neither text nor picture. A hidden column need
    not be there. A table without any column has nothing to decide.
    """
    if not columns:
        return ()
    _check_names(settings.include, key="context.include", columns=columns)
    _check_names(settings.exclude, key="context.exclude", columns=columns)
    _check_names(image_columns, key="images.columns", columns=columns)
    _check_no_text(image_columns, settings)
    kept_back = frozenset((*settings.exclude, *settings.hidden, *image_columns))
    wanted = frozenset(settings.include or columns) - kept_back
    if not wanted and not image_columns:
        named = "`context.exclude`" + (" and the hidden columns" if settings.hidden else "")
        leave = "leave" if settings.hidden else "leaves"
        raise ConfigError(
            f"{named} {leave} the model no column to see. {render_columns(columns)}",
            remedy="Take at least one column out of it.",
        )
    visible = tuple(name for name in columns if name in wanted)
    if settings.order == "alphabetical":
        return tuple(sorted(visible, key=lambda name: (name.casefold(), name)))
    return visible


def _check_names(names: tuple[str, ...], *, key: str, columns: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise ConfigError(
            f"`{key}` names {quote_all(unknown)}, which the input does not have."
            f" {render_columns(columns)}",
            remedy=f"{suggest(unknown[0], columns)} Write the names as the header does.".strip(),
        )


def _check_no_text(image_columns: tuple[str, ...], settings: ContextSettings) -> None:
    both = [name for name in image_columns if name in settings.include]
    if both:
        raise ConfigError(
            f"`context.include` and `images.columns` both name {quote_all(both)}, and a column is text or pictures.",
            remedy="Take it out of `context.include`; a copy of the column can be shown as text.",
        )


def render_columns(columns: Iterable[str]) -> str:
    """The sentence of an error message that lists the columns there are."""
    return f"Columns: {quote_all(columns)}."


def quote_all(names: Iterable[str]) -> str:
    """Names for a message, each in quotes, so that blanks at their ends can be seen."""
    return ", ".join(repr(name) for name in names)


def cut_values(
    values: Mapping[str, Scalar], *, columns: tuple[str, ...], max_chars: int | None, row_id: RowId
) -> tuple[dict[str, Scalar], tuple[Cut, ...]]:
    """The values of `columns`, texts cut to their first `max_chars` characters, and a record of every cut."""
    kept = {column: values[column] for column in columns}
    if max_chars is None:
        return kept, ()
    cuts: list[Cut] = []
    for column, value in kept.items():
        if isinstance(value, str) and len(value) > max_chars:
            kept[column] = value[:max_chars]
            cuts.append(
                Cut(column=column, row_id=row_id, n_chars=len(value), n_chars_kept=max_chars)
            )
    return kept, tuple(cuts)


def render_row_block(values: Mapping[str, Scalar], columns: tuple[str, ...]) -> str:
    """A row as `name: value`, one line a column; of an empty cell only `name:` is left."""
    texts = [(column, render_cell(values[column])) for column in columns]
    return "\n".join(f"{column}: {text}" if text else f"{column}:" for column, text in texts)
