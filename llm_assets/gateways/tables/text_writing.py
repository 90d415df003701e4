"""How an export becomes a file of text that is the same each time and safe to open."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from llm_assets.core.export import ExportTable
from llm_assets.core.fingerprint import render_json
from llm_assets.core.safe_cells import is_formula, render_cell, replace_unholdable
from llm_assets.gateways.tables.whole_file import open_whole_text
from llm_assets.gateways.tables.written_export import WrittenExport

_SURROGATES = re.compile("[\ud800-\udfff]")


def write_delimited(path: Path, table: ExportTable, *, delimiter: str) -> WrittenExport:
    """Write a header and one line for each row, as UTF-8 with line feeds.

    Cells with line breaks, quotes or the delimiter are quoted. Empty cells are values that are not there; lists
    and objects are JSON text. A text that starts like a formula gets an apostrophe before it, unless it is a plain
    number. NUL and half characters (lone surrogates), which readers of such files refuse, become U+FFFD.
    The file appears whole or not at all; `StorageError` where it cannot be written.
    """
    names = [column.name for column in table.meta.columns]
    n_formulas = n_replaced = 0
    with open_whole_text(path) as stream:
        writer = csv.writer(_LineSink(stream), delimiter=delimiter)
        rows: Iterable[Iterable[JsonValue]] = (
            map(record.values.get, names) for record in table.records
        )
        for row in (names, *rows):
            texts = [render_cell(value) for value in row]
            cells = [replace_unholdable(text) for text in texts]
            n_replaced += sum(map(str.__ne__, texts, cells))
            risky = [at for at, cell in enumerate(cells) if is_formula(cell)]
            for at in risky:
                cells[at] = f"'{cells[at]}"
            n_formulas += len(risky)
            writer.writerow(cells)
    return WrittenExport(n_rows=len(table.records), n_formulas=n_formulas, n_replaced=n_replaced)


def write_json_lines(path: Path, table: ExportTable) -> WrittenExport:
    """Write one JSON object for each row, its keys in the order of the columns, as UTF-8 with line feeds.

    Half characters (lone surrogates) are written as JSON escapes, so every value is kept as it is.
    The file appears whole or not at all; `StorageError` where it cannot be written.
    """
    keys = [(column.name, render_json(column.name)) for column in table.meta.columns]
    with open_whole_text(path) as stream:
        for record in table.records:
            pairs = (f"{key}:{render_json(record.values.get(name))}" for name, key in keys)
            line = _SURROGATES.sub(_escape_surrogate, f"{{{','.join(pairs)}}}\n")
            stream.write(line)
    return WrittenExport(n_rows=len(table.records))


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


def _escape_surrogate(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
