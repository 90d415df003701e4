"""What the table said, cell by cell, once it is cleaned."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from llm_assets.core.ids import RowId
from llm_assets.core.values import FROZEN_RECORD, FrozenModel, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """One row of the input."""

    __pydantic_config__: ClassVar[ConfigDict] = FROZEN_RECORD

    row_id: RowId
    """From the id column, else a hash of the content with the number of its occurrence."""
    line: int
    """Where it starts in the source, from 1."""
    values: dict[str, Scalar]


class InputMeta(FrozenModel):
    """Where the rows came from."""

    format_version: Literal[1] = 1
    input_path: str
    """Relative to the project; the bare file name where the file lies outside of it."""
    sha256: str
    """Of the file's bytes."""
    format: str
    encoding: str | None
    n_rows: int
    n_cols: int
    columns: tuple[str, ...]
    n_nulls: int
    """How many cells a null token emptied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSnapshot:
    """The rows of one batch, in input order."""

    meta: InputMeta
    records: tuple[InputRow, ...]
