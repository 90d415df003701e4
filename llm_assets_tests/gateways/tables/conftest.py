from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_assets.config.task import InputSettings
from llm_assets.core.table import RawRow, RawTable
from llm_assets.core.values import Scalar
from llm_assets.errors import InputError
from llm_assets.gateways.tables.reading import open_table


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTable:
    """A table with its rows drawn."""

    opened: RawTable
    rows: tuple[RawRow, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.opened.columns

    @property
    def cells(self) -> list[tuple[Scalar, ...]]:
        return [row.cells for row in self.rows]

    @property
    def lines(self) -> list[int]:
        return [row.line for row in self.rows]


ReadFile = Callable[..., ReadTable]


@pytest.fixture
def read_file() -> ReadFile:
    """Reads a file that is there, with the settings given by keyword."""

    def read(path: Path, **settings) -> ReadTable:
        with open_table(path, InputSettings(**settings), shown_path=path.name) as table:
            return ReadTable(opened=table, rows=tuple(table.rows))

    return read


@pytest.fixture
def read(tmp_path: Path, read_file: ReadFile) -> ReadFile:
    """Writes a file and reads it back."""

    def write_and_read(name: str, content: str | bytes, **settings) -> ReadTable:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_file(path, **settings)

    return write_and_read


@pytest.fixture
def refuse(read: ReadFile) -> Callable[..., InputError]:
    """Writes a file that must be refused, and gives the error."""

    def write_and_fail(name: str, content: str | bytes, **settings) -> InputError:
        with pytest.raises(InputError) as caught:
            read(name, content, **settings)
        return caught.value

    return write_and_fail
