"""How an export becomes a file that is whole, the same each time, and safe to open."""

import csv
import re
import secrets
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from pydantic import JsonValue

from llm_assets.config.export import ExportFormat
from llm_assets.core.export import ExportTable
from llm_assets.core.fingerprint import render_json
from llm_assets.errors import StorageError

DELIMITERS = {"csv": ",", "psv": "|", "tsv": "\t"}

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read the wide signs too
_PLAIN_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?%?")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenExport:
    """What went into a file."""

    n_rows: int
    n_formulas: int
    """Cells that a spreadsheet would have run as a formula; an apostrophe stands before each."""


def write_export(path: Path, table: ExportTable, *, export_format: ExportFormat) -> WrittenExport:
    """Write the table in the format named; see `write_delimited` and `write_json_lines`."""
    if export_format == "jsonl":
        return write_json_lines(path, table)
    return write_delimited(path, table, delimiter=DELIMITERS[export_format])


def write_delimited(path: Path, table: ExportTable, *, delimiter: str) -> WrittenExport:
    """Write a header and one line for each row, as UTF-8 with line feeds.

    Cells with line breaks, quotes or the delimiter are quoted. Empty cells are values that are not there; lists
    and objects are JSON text. A text that starts like a formula gets an apostrophe before it, unless it is a plain
    number. Half characters (lone surrogates), which no UTF-8 file can hold, become U+FFFD.
    The file appears whole or not at all; `StorageError` where it cannot be written.
    """
    names = [column.name for column in table.meta.columns]
    n_formulas = 0
    with _open_whole(path) as stream:
        writer = csv.writer(_LineSink(stream), delimiter=delimiter)
        rows: Iterable[Iterable[JsonValue]] = (
            map(record.values.get, names) for record in table.records
        )
        for row in (names, *rows):
            cells = [_render_cell(value) for value in row]
            risky = [at for at, cell in enumerate(cells) if _is_formula(cell)]
            for at in risky:
                cells[at] = f"'{cells[at]}"
            n_formulas += len(risky)
            writer.writerow(cells)
    return WrittenExport(n_rows=len(table.records), n_formulas=n_formulas)


def write_json_lines(path: Path, table: ExportTable) -> WrittenExport:
    """Write one JSON object for each row, its keys in the order of the columns, as UTF-8 with line feeds.

    Half characters (lone surrogates) are written as JSON escapes, so they are kept.
    The file appears whole or not at all; `StorageError` where it cannot be written.
    """
    keys = [(column.name, render_json(column.name)) for column in table.meta.columns]
    with _open_whole(path) as stream:
        for record in table.records:
            pairs = (f"{key}:{render_json(record.values.get(name))}" for name, key in keys)
            line = _SURROGATES.sub(_escape_surrogate, f"{{{','.join(pairs)}}}\n")
            stream.write(line)
    return WrittenExport(n_rows=len(table.records), n_formulas=0)


class _TextSink(Protocol):
    def write(self, text: str, /) -> object: ...


class _LineSink:
    """Ends lines with a line feed for a csv writer that ends them with CR LF.

    Asked for a bare line feed, the writer of Python 3.11 leaves a CR inside a cell without quotes, and readers
    then see a line end there.
    """

    def __init__(self, stream: _TextSink) -> None:
        self._stream = stream

    def write(self, line: str) -> object:
        return self._stream.write(line.removesuffix("\r\n") + "\n")


def _render_cell(value: JsonValue) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else render_json(value)
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _is_formula(cell: str) -> bool:
    return cell.startswith(_FORMULA_START) and not _PLAIN_NUMBER.fullmatch(cell)


def _escape_surrogate(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


@contextmanager
def _open_whole(path: Path) -> Generator[TextIO]:
    """A text file that takes its place when it is complete; a failure leaves the one before."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("x", encoding="utf-8", newline="") as stream:
                yield stream
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as exc:
        raise StorageError(
            f"{path} could not be written: {exc.strerror or exc}. A file that was there is unchanged.",
            remedy="Check the folder's permissions and the free space.",
        ) from exc
