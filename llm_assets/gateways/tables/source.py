"""Which file is read, as what, and how messages name a place in it."""

from dataclasses import dataclass
from pathlib import Path

from llm_assets.config.task import InputSettings, TableFormat
from llm_assets.core.table import render_place


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """A file that exists, is not empty, and has a known format."""

    path: Path
    shown_path: str
    """What messages and metadata call it."""
    format: TableFormat
    sha256: str
    """Of the file's bytes."""
    settings: InputSettings

    def render_place(self, line: int) -> str:
        """The file and a line of it, as messages name them."""
        return render_place(path=self.shown_path, table_format=self.format, line=line)
