"""Which questions the model gets: a row, a group, or a row seen among its group."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from llm_assets.config.task import Mode
from llm_assets.core.group_contexts import Cut
from llm_assets.core.ids import GroupContextId, GroupKey, RowId, WorkId
from llm_assets.core.values import FROZEN_RECORD, FrozenModel, Scalar


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


class WorkItemsMeta(FrozenModel):
    """How the items were made."""

    format_version: Literal[1] = 1
    mode: Mode
    grouping_column: str | None
    columns: tuple[str, ...]
    """The columns the model may see, in the order in which a row is written out."""
    n_items: int
    n_rows: int
    n_group_contexts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItems:
    """The items of one batch: rows in input order, or groups in the order first seen."""

    meta: WorkItemsMeta
    records: tuple[WorkItem, ...]
