"""What a task file can say about the outputs that are expected, and how those that came are scored by them."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from llm_assets.config.base import LEFT_OUT_IF_EMPTY, Settings
from llm_assets.config.grouping import ContextSettings, GroupingSettings
from llm_assets.config.hooks import HookReference

ScorerName = Literal[
    "exact", "normalised", "contains", "numeric", "jaccard", "f1", "json", "judge", "hook"
]

Score = Annotated[float, Field(ge=0, le=1)]

_SCORERS_BY_OPTION: dict[str, tuple[ScorerName, ...]] = {
    "pattern": ("exact", "normalised", "contains", "numeric"),
    "tolerance": ("numeric",),
    "relative_tolerance": ("numeric",),
    "separator": ("jaccard", "f1"),
    "hook": ("hook",),
}


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise ValueError(f"{pattern!r} is not a regular expression: {exc}") from exc
    return pattern


class ExpectedFieldSettings(Settings):
    """What is expected of one field; a column's bare name stands for `{column: name}`."""

    column: Annotated[str, Field(min_length=1)] | None = None
    """The column that holds what is expected; an empty cell expects nothing and is left out.

    Not given where what people published is expected (`from_review`).
    """
    path: Annotated[str, Field(min_length=1)] | None = None
    """The field of the output, dotted where nested, of several steps as `<step>.<field>`; the name of this block where
    it is not given."""
    scorer: ScorerName = "exact"
    """How an answer is scored, from 0 to 1.

    `exact`: the same value. `normalised`: the same but for case, white space, punctuation and Unicode forms.
    `contains`: the answer has the expected words in it, normalised. `numeric`: the same number within the tolerance.
    `jaccard` and `f1`: how far two lists overlap. `json`: the share of the expected JSON's values that the answer has
    in the same place. `judge`: whether the task's judge accepted the answer; it takes no column and sends nothing.
    `hook`: what the function in `hook` returns.
    """
    hook: HookReference | None = None
    """The function `scorer(output, expected)` of the project that scores an accepted output, from 0 to 1.

    It gets the whole output and the cell with what is expected; None says that this cell cannot be scored.
    """
    pattern: Annotated[str, AfterValidator(_check_pattern)] | None = None
    """A regular expression for the part that counts, such as `#### (.+)`: its first group, where it matches last.

    It is looked for in both texts. An answer that it does not match counts as a whole; an expected text that it does
    not match cannot be read.
    """
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How far a number may be off."""
    relative_tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How far it may be off as a share of the expected number; the wider of the two tolerances holds."""
    separator: Annotated[str, Field(min_length=1)] = ","
    """What separates the entries of a list that is written as text; a JSON list is understood, too."""
    min_score: Score | None = None
    """What this field alone has to reach."""

    @model_validator(mode="before")
    @classmethod
    def _read_bare_name(cls, value: object) -> object:
        if value is None:
            return {}
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_options(self) -> "ExpectedFieldSettings":
        if self.scorer == "judge" and self.column is not None:
            raise ValueError("the scorer 'judge' takes no `column`")
        if self.scorer == "hook" and self.hook is None:
            raise ValueError("the scorer 'hook' needs a `hook`, the function that scores")
        for option, scorers in _SCORERS_BY_OPTION.items():
            if option in self.model_fields_set and self.scorer not in scorers:
                raise ValueError(f"`{option}` belongs to the scorer {' or '.join(scorers)}")
        return self


class ExpectedSettings(Settings):
    """The outputs that people expect, and what is asked of the score.

    The model never sees a column that holds them: an answer that was read off is worth nothing.
    """

    fields: Annotated[dict[str, ExpectedFieldSettings], Field(min_length=1)]
    """Each field of the output that is scored, by its name."""
    from_review: Annotated[bool, LEFT_OUT_IF_EMPTY] = False
    """Whether what people approved or wrote at the gate is what is expected of the model; then no columns are named.

    A decision counts while its row is as it was; a rejection expects nothing.
    """
    file: str | None = None
    """A table with the columns, for all batches; they stand in the input itself where it is not given."""
    id_column: str | None = None
    """The column of that table that names rows as `input.id_column` does, or groups where one output answers for one."""
    required: bool = True
    """Whether every batch has to have the columns; `false` where only some batches are labelled."""
    min_score: Score | None = None
    """What the score has to reach."""
    group_by: str | None = None
    """A column of the input; its values get a score each."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the input that the model must not see; none where they stand in a file of their own."""
        named = [field.column for field in self.fields.values() if field.column is not None]
        return () if self.file is not None else tuple(dict.fromkeys(named))

    @property
    def needs_judge(self) -> bool:
        """Whether a field is scored by the task's judge."""
        return any(field.scorer == "judge" for field in self.fields.values())

    @property
    def hooks(self) -> dict[str, str]:
        """The functions that score, by the names of the fields that they score."""
        return {name: field.hook for name, field in self.fields.items() if field.hook is not None}

    @model_validator(mode="after")
    def _check_columns(self) -> "ExpectedSettings":
        for name, field in self.fields.items():
            if self.from_review and field.column is not None:
                raise ValueError(
                    f"`fields.{name}` names a `column`, and with `from_review` people's decisions hold what is expected"
                )
            if not self.from_review and field.column is None and field.scorer != "judge":
                raise ValueError(f"`fields.{name}`: the scorer {field.scorer!r} needs a `column`")
        if self.from_review and self.file is not None:
            raise ValueError("what is expected comes `from_review` or from a `file`, not from both")
        return self

    @model_validator(mode="after")
    def _check_file(self) -> "ExpectedSettings":
        if (self.file is None) is not (self.id_column is None):
            raise ValueError("`file` and `id_column` belong together")
        return self

    def check(
        self, grouping: GroupingSettings, context: ContextSettings, id_column: str | None
    ) -> None:
        """`ValueError` where the model would see what is expected, or a file cannot be matched with the rows."""
        places = {"grouping.column": grouping.column, "input.id_column": id_column}
        places |= {"context.include": next(iter({*context.include} & {*self.columns}), None)}
        for place, column in places.items():
            if column in self.columns:
                raise ValueError(
                    f"`{place}` names {column!r}, which holds expected answers (`expected`). The model would read "
                    "its answers off, and every score would be worthless"
                )
        if self.file is not None and id_column is None and grouping.mode != "group_output":
            raise ValueError(
                "`expected.file` needs `input.id_column`, which says which row its lines belong to"
            )
