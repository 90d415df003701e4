"""What a task file can say about the files that people get."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_serializer, model_validator

from llm_assets.config.base import Settings

ExportFormat = Literal["csv", "psv", "tsv", "jsonl", "xlsx", "parquet"]
ColumnType = Literal["text", "integer", "number", "boolean", "date", "datetime", "json"]


class ExportColumnSettings(Settings):
    """One column of an export; its bare name stands for `{column: name}`."""

    column: Annotated[str, Field(min_length=1)]
    """Its name in the input, output (dotted where nested), judge, scores or status; `"*"` is all columns that the list does
    not name, and `input.*`, `output.*`, `judge.*`, `assessment.*` and `status.*` are those of one kind."""
    as_: Annotated[str | None, Field(alias="as", min_length=1)] = None
    """The name in the files; the column's own where it is not given."""
    type: ColumnType | None = None
    """What its values are; text such as `12`, `true` or `2026-03-01` is read as that.

    A value that cannot be read so stays as it is, and the check of the export stage tells of it. Without a type,
    values of the input are what `input.types` made of them, and those of the output what the schema says.
    """

    @model_validator(mode="before")
    @classmethod
    def _read_bare_name(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value

    @model_serializer(mode="plain")
    def _write_bare_name(self) -> JsonValue:
        given = (("column", self.column), ("as", self.as_), ("type", self.type))
        kept: dict[str, JsonValue] = {key: value for key, value in given if value is not None}
        return self.column if len(kept) == 1 else kept


class ExportSettings(Settings):
    """Which files a person gets."""

    formats: tuple[ExportFormat, ...] = ("csv", "jsonl")
    """One file for each."""
    columns: tuple[ExportColumnSettings, ...] = ()
    """The columns in their order, each by its name or as `{column: …, as: …, type: …}`.

    Where none is given: those of the input, then of the output, then of the judge, then the scores, then of the status.
    """
    only_accepted: bool = False
    """Leave out rows without an accepted output."""
    nested: Literal["flatten", "json"] = "flatten"
    """Nested output fields become dotted columns, or stay JSON in one."""
