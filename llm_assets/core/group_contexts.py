"""What the rows of a group have in common for the model to see, stored once a group."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from llm_assets.config.grouping import ContextSettings, GroupingSettings
from llm_assets.core.context import (
    Cut,
    cut_values,
    decide_visible_columns,
    render_columns,
)
from llm_assets.core.fingerprint import build_id
from llm_assets.core.ids import GroupContextId, GroupKey
from llm_assets.core.input_snapshot import InputRow, InputSnapshot
from llm_assets.core.row_template import RowTemplate, build_row_template
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.values import FROZEN_RECORD, CollectionMeta
from llm_assets.errors import InputError, suggest

ROW_SEPARATOR = "\n\n"
"""An empty line, so that rows of several lines stay apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContext:
    """The text that stands for one group in a prompt."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    group_context_id: GroupContextId
    """A hash of the group's key and its text."""
    group_key: GroupKey
    text: str
    n_rows: int
    n_rows_used: int
    """Fewer than `n_rows` where `max_rows_per_group` capped the group."""
    cuts: tuple[Cut, ...]


class GroupContextsMeta(CollectionMeta):
    """How the groups were made."""

    format_version: Literal[1] = 1
    grouping_column: str | None
    n_groups: int
    n_rows: int
    """In all groups together; 0 in row mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContexts:
    """The groups of one batch, in the order in which the input first names them; none in row mode."""

    meta: GroupContextsMeta
    records: tuple[GroupContext, ...]


def build_groups(snapshot: InputSnapshot, column: str | None) -> dict[GroupKey, list[InputRow]]:
    """The rows by their value in `column`: groups in the order first seen, rows in input order.

    No column makes no groups. Empty cells make a group of their own, because no row may get lost. A column that
    the input does not have is an `InputError`.
    """
    columns = snapshot.meta.columns
    groups: dict[GroupKey, list[InputRow]] = {}
    if column is None or not columns:
        return groups
    if column not in columns:
        raise InputError(
            f"{snapshot.meta.input_path} has no column {column!r} to group by. {render_columns(columns)}",
            remedy=f"{suggest(column, columns)} Set `grouping.column` to one of them.".strip(),
        )
    for row in snapshot.records:
        groups.setdefault(build_group_key(row, column), []).append(row)
    return groups


def build_group_key(row: InputRow, column: str) -> GroupKey:
    """The name of a row's group: the value it has in `column`, as text."""
    return GroupKey(render_cell(row.values[column]))


def build_group_contexts(
    snapshot: InputSnapshot,
    *,
    grouping: GroupingSettings,
    context: ContextSettings,
    image_columns: tuple[str, ...] = (),
) -> GroupContexts:
    """Write out every group once: its first rows up to the cap, by the row template, one below the other.

    Columns that name pictures are no part of it. In row mode, and for an input without rows, there are no groups. A wrong grouping column is an `InputError`,
    a wrong column list or template a `ConfigError`.
    """
    groups = build_groups(snapshot, grouping.column)
    records: tuple[GroupContext, ...] = ()
    if grouping.column is not None and snapshot.meta.columns:
        columns = decide_visible_columns(snapshot.meta.columns, context, image_columns)
        template = build_row_template(context.row_template, columns)
        records = tuple(
            _build_group_context(
                key, rows, template=template, max_rows=grouping.max_rows_per_group, context=context
            )
            for key, rows in groups.items()
        )
    meta = GroupContextsMeta(
        grouping_column=grouping.column,
        n_groups=len(records),
        n_rows=sum(record.n_rows for record in records),
    )
    return GroupContexts(meta=meta, records=records)


def _build_group_context(
    key: GroupKey,
    rows: list[InputRow],
    *,
    template: RowTemplate,
    max_rows: int | None,
    context: ContextSettings,
) -> GroupContext:
    used = rows[:max_rows]
    texts: list[str] = []
    cuts: list[Cut] = []
    for row in used:
        values, row_cuts = cut_values(
            row.values,
            columns=template.columns,
            max_chars=context.truncate_field_chars,
            row_id=row.row_id,
        )
        texts.append(template.render(values, line=row.line))
        cuts.extend(row_cuts)
    text, text_cuts = _cut_text(ROW_SEPARATOR.join(texts), context.max_context_chars)
    return GroupContext(
        group_context_id=GroupContextId(build_id([key, text])),
        group_key=key,
        text=text,
        n_rows=len(rows),
        n_rows_used=len(used),
        cuts=(*cuts, *text_cuts),
    )


def _cut_text(text: str, max_chars: int | None) -> tuple[str, tuple[Cut, ...]]:
    if max_chars is None or len(text) <= max_chars:
        return text, ()
    cut = Cut(column=None, row_id=None, n_chars=len(text), n_chars_kept=max_chars)
    return text[:max_chars], (cut,)
