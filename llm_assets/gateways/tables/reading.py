"""How a file becomes a table, whatever its format.

The rows are drawn while the file stays open, so a large table is never held twice. What is wrong with a file
is an `InputError`, raised on opening where the header or the encoding is wrong and while drawing where a row is.
"""

import hashlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from os import stat_result
from pathlib import Path
from typing import get_args

from llm_assets.config.task import InputSettings, TableFormat
from llm_assets.core.table import RawTable
from llm_assets.errors import InputError
from llm_assets.gateways.tables.delimited import open_delimited
from llm_assets.gateways.tables.json_lines import open_json_lines
from llm_assets.gateways.tables.parquet import open_parquet
from llm_assets.gateways.tables.source import TableSource
from llm_assets.gateways.tables.workbook import open_workbook

FORMATS_BY_ENDING: dict[str, TableFormat] = {
    ".csv": "csv",
    ".psv": "psv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
"""Which format an ending stands for, whatever its case."""

_OPENERS: dict[TableFormat, Callable[[TableSource], AbstractContextManager[RawTable]]] = {
    "csv": open_delimited,
    "psv": open_delimited,
    "tsv": open_delimited,
    "xlsx": open_workbook,
    "jsonl": open_json_lines,
    "parquet": open_parquet,
}


@contextmanager
def open_table(path: Path, settings: InputSettings, *, shown_path: str) -> Generator[RawTable]:
    """The table in a file, its rows to be drawn once inside the `with`.

    `shown_path` is what messages and metadata call the file. A file that changes while it is read is an error,
    because its hash would belong to other rows.
    """
    table_format = decide_format(path, settings, shown_path=shown_path)
    before = _read_stat(path, shown_path)
    source = TableSource(
        path=path,
        shown_path=shown_path,
        format=table_format,
        sha256=_read_sha256(path, shown_path),
        settings=settings,
    )
    with _OPENERS[table_format](source) as table:
        yield table
    after = _read_stat(path, shown_path)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(
            f"{shown_path} was changed while it was read; its rows were not taken.",
            remedy="Run again when nothing writes to it.",
        )


def decide_format(path: Path, settings: InputSettings, *, shown_path: str) -> TableFormat:
    """The format that the settings name, else the one that the file's ending stands for."""
    if settings.format is not None:
        return settings.format
    table_format = FORMATS_BY_ENDING.get(path.suffix.lower())
    if table_format is None:
        ending = f"The ending {path.suffix!r}" if path.suffix else "A name without an ending"
        raise InputError(
            f"{shown_path}: {ending} does not say which format the table has.",
            remedy=f"Set `input.format` in the task's config to one of {', '.join(get_args(TableFormat))}.",
        )
    return table_format


def _read_stat(path: Path, shown_path: str) -> stat_result:
    try:
        status = path.stat()
    except FileNotFoundError as exc:
        raise InputError(
            f"{shown_path} does not exist.", remedy="Check the path, or put the table there."
        ) from exc
    except OSError as exc:
        raise _build_access_error(shown_path, exc) from exc
    if path.is_dir():
        raise InputError(f"{shown_path} is a folder.", remedy="Name a file in it.")
    if status.st_size == 0:
        raise InputError(
            f"{shown_path} is empty: it has no header.",
            remedy="Put the table in it, or take it out of the input folder.",
        )
    return status


def _read_sha256(path: Path, shown_path: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise _build_access_error(shown_path, exc) from exc


def _build_access_error(shown_path: str, exc: OSError) -> InputError:
    return InputError(
        f"{shown_path} cannot be read: {exc.strerror or exc}.",
        remedy="Check who may read it.",
    )
