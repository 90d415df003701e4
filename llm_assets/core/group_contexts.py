"""What the rows of a group have in common for the model to see, stored once a group."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from llm_assets.core.ids import GroupContextId, GroupKey
from llm_assets.core.values import FROZEN_RECORD, FrozenModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A text that a limit shortened."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    column: str | None
    """None where the whole context was cut."""
    n_chars: int
    """Before the cut."""
    n_chars_kept: int


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


class GroupContextsMeta(FrozenModel):
    """How the groups were made."""

    format_version: Literal[1] = 1
    grouping_column: str | None
    n_groups: int
    n_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContexts:
    """The groups of one batch, in the order in which the input first names them; none in row mode."""

    meta: GroupContextsMeta
    records: tuple[GroupContext, ...]
