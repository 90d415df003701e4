"""Which questions the model gets: a row, a group, or a row seen among its group."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from llm_assets.config.grouping import ContextSettings, GroupingSettings, Mode
from llm_assets.core.context import Cut, cut_values, decide_visible_columns
from llm_assets.core.fingerprint import build_id, fingerprint
from llm_assets.core.group_contexts import GroupContexts, build_group_key, build_groups
from llm_assets.core.ids import GroupContextId, GroupKey, RowId, Sha256, WorkId
from llm_assets.core.images import ImageFindings, ImageInput, build_content
from llm_assets.core.input_snapshot import InputRow, InputSnapshot
from llm_assets.core.values import FROZEN_RECORD, CollectionMeta, Scalar
from llm_assets.errors import StorageError

WORK_ID_VERSION = 1
"""Part of every work id; a change of the id's recipe must change it."""


def _is_empty(value: object) -> bool:
    return not value


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """The unit of model work."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    work_id: WorkId
    """Stable for the same row content and context settings, wherever the row stands."""
    row_ids: tuple[RowId, ...]
    """The rows it answers for: one, or all rows of its group, in input order."""
    group_key: GroupKey | None
    group_context_id: GroupContextId | None
    values: dict[str, Scalar]
    """The columns the model may see, cut where the settings say so; empty for a whole group."""
    occurrence: int
    """0 for the first item with this content, 1 for its first repetition, and so on."""
    cuts: tuple[Cut, ...]
    """Of `values`; what was cut off a group's text stands with its context."""
    images: Annotated[tuple[ImageInput, ...], Field(exclude_if=_is_empty)] = ()
    """The pictures the model sees, in their order; a group's are those of the rows in its context. Not kept where
    there are none."""


class WorkItemsMeta(CollectionMeta):
    """How the items were made."""

    format_version: Literal[1] = 1
    mode: Mode
    grouping_column: str | None
    columns: tuple[str, ...]
    """The columns the model may see as text, in the order in which a row is written out."""
    n_items: int
    n_rows: int
    n_group_contexts: int
    images_sha256: Annotated[Sha256 | None, Field(exclude_if=_is_empty)] = None
    """Of all pictures that the table names, when the items were made; not kept where no column names any."""

    @property
    def counted(self) -> tuple[object, ...]:
        """What groups are told by and show: a row's item is named by that, a group's by its text alone."""
        return (self.grouping_column, self.columns) if self.mode == "group_output" else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItems:
    """The items of one batch: rows in input order, or groups in the order first seen."""

    meta: WorkItemsMeta
    records: tuple[WorkItem, ...]


def build_work_items(
    snapshot: InputSnapshot,
    *,
    contexts: GroupContexts,
    grouping: GroupingSettings,
    context: ContextSettings,
    id_column: str | None,
    images: ImageFindings | None = None,
) -> WorkItems:
    """One item for every row, or for every group in the mode `group_output`.

    `images` are what the cells of picture columns point to, where there are such columns.

    `id_column` is the column that names the rows, where the person configured one; then equal rows with different
    names are different items, whatever their order. A `StorageError` tells that `contexts` were made from other
    rows or by another grouping.
    """
    groups = build_groups(snapshot, grouping.column)
    _check_contexts(contexts, {key: len(rows) for key, rows in groups.items()})
    columns = decide_visible_columns(
        snapshot.meta.columns, context, images.settings.columns if images else ()
    )
    if grouping.mode == "group_output":
        records = _build_group_items(contexts, groups, images)
    else:
        recipe = _build_recipe(columns, grouping=grouping, context=context, id_column=id_column)
        records = _build_row_items(snapshot, contexts, recipe, images)
    items = tuple(records)
    meta = WorkItemsMeta(
        mode=grouping.mode,
        grouping_column=grouping.column,
        columns=columns,
        n_items=len(items),
        n_rows=len(snapshot.records),
        n_group_contexts=len(contexts.records),
        images_sha256=None if images is None else images.sha256,
    )
    return WorkItems(meta=meta, records=items)


def _check_contexts(contexts: GroupContexts, n_rows_by_key: dict[GroupKey, int]) -> None:
    if {record.group_key: record.n_rows for record in contexts.records} != n_rows_by_key:
        raise StorageError(
            "The stored group contexts were made from other rows, or by another grouping, than these work items.",
            remedy="Make both stages anew, `group_contexts` first.",
        )


def _build_group_items(
    contexts: GroupContexts,
    groups: dict[GroupKey, list[InputRow]],
    images: ImageFindings | None,
) -> Iterator[WorkItem]:
    """The context's id stands for all text that the model sees of a group, its key included."""
    for record in contexts.records:
        rows = groups[record.group_key]
        shown = _find_images(rows[: record.n_rows_used], images)
        content = [WORK_ID_VERSION, "group_output", record.group_context_id, *_list_content(shown)]
        yield WorkItem(
            work_id=WorkId(build_id(content)),
            row_ids=tuple(row.row_id for row in rows),
            group_key=record.group_key,
            group_context_id=record.group_context_id,
            values={},
            occurrence=0,
            cuts=(),
            images=shown,
        )


def _find_images(rows: Sequence[InputRow], images: ImageFindings | None) -> tuple[ImageInput, ...]:
    if images is None:
        return ()
    return tuple(image for row in rows for image in images.find_images(row.values))


def _list_content(shown: tuple[ImageInput, ...]) -> list[object]:
    """What pictures add to an item's content: nothing where there are none, so that its name stays."""
    return [build_content(shown)] if shown else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowRecipe:
    """What all items of a table share in how they are made and named."""

    columns: tuple[str, ...]
    max_chars: int | None
    grouping_column: str | None
    is_named: bool
    """Whether the rows have names of their own."""
    fingerprint: Sha256


def _build_recipe(
    columns: tuple[str, ...],
    *,
    grouping: GroupingSettings,
    context: ContextSettings,
    id_column: str | None,
) -> _RowRecipe:
    """The fingerprint is of the settings that decide how a row reaches the model, and of no others.

    `include`, `exclude` and `order` count by their effect, which is `columns`. The cap on a group's rows decides
    about other rows than this one, and the settings of a group's text count only where there are groups.
    """
    of_groups = [context.row_template, context.max_context_chars] if grouping.column else []
    parts = [WORK_ID_VERSION, grouping.mode, columns, context.truncate_field_chars, of_groups]
    return _RowRecipe(
        columns=columns,
        max_chars=context.truncate_field_chars,
        grouping_column=grouping.column,
        is_named=id_column is not None,
        fingerprint=fingerprint(parts),
    )


def _build_row_items(
    snapshot: InputSnapshot,
    contexts: GroupContexts,
    recipe: _RowRecipe,
    images: ImageFindings | None,
) -> Iterator[WorkItem]:
    context_ids = {record.group_key: record.group_context_id for record in contexts.records}
    seen: Counter[str] = Counter()
    for row in snapshot.records:
        column = recipe.grouping_column
        group_key = None if column is None else build_group_key(row, column)
        shown = _find_images([row], images)
        content_id = _build_content_id(row, group_key, recipe, shown)
        occurrence = seen[content_id]
        seen[content_id] = occurrence + 1
        values, cuts = cut_values(
            row.values, columns=recipe.columns, max_chars=recipe.max_chars, row_id=row.row_id
        )
        yield WorkItem(
            work_id=_build_work_id(
                content_id, row_id=row.row_id if recipe.is_named else None, occurrence=occurrence
            ),
            row_ids=(row.row_id,),
            group_key=group_key,
            group_context_id=None if group_key is None else context_ids[group_key],
            values=values,
            occurrence=occurrence,
            cuts=cuts,
            images=shown,
        )


def _build_content_id(
    row: InputRow, group_key: GroupKey | None, recipe: _RowRecipe, shown: tuple[ImageInput, ...]
) -> str:
    """Of the row before any cut, so that rows which differ only behind it are different items."""
    content = [row.values[column] for column in recipe.columns]
    return build_id([recipe.fingerprint, group_key, content, *_list_content(shown)])


def _build_work_id(content_id: str, *, row_id: RowId | None, occurrence: int) -> WorkId:
    """A row's own name tells equal rows apart; without one they are counted, the second as 2."""
    if row_id is not None:
        return WorkId(build_id([content_id, row_id]))
    return WorkId(f"{content_id}-{occurrence + 1}" if occurrence else content_id)
