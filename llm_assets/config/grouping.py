"""What a task file can say about which rows belong together and how they are written out for the model."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from llm_assets.config.base import Settings

Mode = Literal["row", "group_output", "row_output_with_group_context"]


class GroupingSettings(Settings):
    """What one model call is about: a row, a group, or a row seen among its group."""

    mode: Mode = "row"
    """`row`, `group_output` (one output a group) or `row_output_with_group_context` (one output a row)."""
    column: str | None = None
    """The column whose equal values make a group."""
    max_rows_per_group: Annotated[int, Field(ge=1)] | None = None
    """At most this many rows, the first ones, stand in a group's context."""

    @model_validator(mode="after")
    def _check_column(self) -> "GroupingSettings":
        if (self.mode == "row") is not (self.column is None):
            hint = "takes no `column`" if self.mode == "row" else "needs a `column` to group by"
            raise ValueError(f"mode {self.mode!r} {hint}")
        return self


class ContextSettings(Settings):
    """How rows are written out for the model."""

    include: tuple[str, ...] = ()
    """Only these columns reach the model; all of them where both lists are empty."""
    exclude: tuple[str, ...] = ()
    """Every column but these reaches the model."""
    hidden: tuple[str, ...] = ()
    """Columns that never reach the model and that a batch may lack; those of `expected` are hidden unasked."""
    order: Literal["input", "alphabetical"] = "input"
    """The order of a row's columns."""
    row_template: str = "{{ row_block }}"
    """How one row of a group stands in its context; `{__ROW_KV_BLOCK__}` is understood too."""
    truncate_field_chars: Annotated[int, Field(ge=1)] | None = None
    """Longer values are cut to this many characters; every cut is recorded."""
    max_context_chars: Annotated[int, Field(ge=1)] | None = None
    """A longer group context is cut to this many characters; every cut is recorded."""

    @model_validator(mode="after")
    def _check_one_list(self) -> "ContextSettings":
        if self.include and self.exclude:
            raise ValueError("give `include` or `exclude`, not both")
        if shown := [name for name in self.include if name in self.hidden]:
            raise ValueError(f"{shown[0]!r} stands both in `include` and in `hidden`")
        return self
