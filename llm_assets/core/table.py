"""What a table is before anything is decided about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from llm_assets.core.values import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One row as the reader found it, with as many cells as the header has names."""

    line: int
    """Where it starts in the source: the line of a text file, the row of a sheet, the record of a parquet file, from 1."""
    cells: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table that a reader opened: the header is known, the rows are still to be drawn, once."""

    path: str
    """For messages and metadata: relative to the project where the file lies in it."""
    format: str
    encoding: str | None
    """None for formats that are not text."""
    sha256: str
    """Of the file's bytes."""
    columns: tuple[str, ...]
    rows: Iterable[RawRow]


def render_line(line: int, *, table_format: str) -> str:
    """How a message speaks of one row: by its line, its row in the sheet or its record in the file."""
    word = {"xlsx": "row", "parquet": "record"}.get(table_format, "line")
    return f"{word} {line}"


def render_place(*, path: str, table_format: str, line: int) -> str:
    """The table and one row of it."""
    return f"{path}, {render_line(line, table_format=table_format)}"


def render_letters(index: int) -> str:
    """The letters of a sheet's column, 0 being A."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
