"""How csv, psv and tsv files are read: row by row, and with no row bent to fit the header.

Lines are counted as an editor counts them. A blank line is passed over, except in a table of one column,
where it is a row with an empty cell.
"""

import csv
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from llm_assets.core.table import RawRow, RawTable
from llm_assets.errors import InputError
from llm_assets.gateways.tables.columns import build_columns
from llm_assets.gateways.tables.delimiter import decide_delimiter
from llm_assets.gateways.tables.encoding import read_encoding
from llm_assets.gateways.tables.source import TableSource

_FIXED = {"psv": "|", "tsv": "\t"}
_SPELLED_OUT = {"tab": "\t", r"\t": "\t"}
_SAMPLE_CHARS = 65_536
_MAX_CELL_CHARS = (
    2**31 - 1
)  # csv's own limit of 131,072 refuses long texts; a C long holds no more everywhere


@contextmanager
def open_delimited(source: TableSource) -> Generator[RawTable]:
    """The table in a text file whose cells a delimiter separates."""
    encoding = read_encoding(source)
    csv.field_size_limit(_MAX_CELL_CHARS)
    with source.path.open(encoding=encoding, newline="") as file:
        delimiter = _decide_delimiter(source, file)
        file.seek(0)
        _skip_to_header(source, file)
        rows = _Rows(source=source, file=file, delimiter=delimiter)
        columns = rows.read_columns()
        yield RawTable(
            path=source.shown_path,
            format=source.format,
            encoding=encoding,
            sha256=source.sha256,
            columns=columns,
            rows=rows.draw(len(columns)),
        )


def _skip_to_header(source: TableSource, file: TextIO) -> None:
    n_above = source.settings.header_row - 1
    n_skipped = sum(1 for _ in islice(file, n_above))
    if n_skipped < n_above:
        raise InputError(
            f"{source.shown_path} has {n_skipped} lines, but `input.header_row` is {n_above + 1}.",
            remedy="Set `input.header_row` to the line that holds the column names.",
        )


def _decide_delimiter(source: TableSource, file: TextIO) -> str:
    if source.format in _FIXED:
        return _FIXED[source.format]
    named = source.settings.delimiter
    if named is None:
        _skip_to_header(source, file)
        sample = file.read(_SAMPLE_CHARS)
        return decide_delimiter(sample, is_whole=len(sample) < _SAMPLE_CHARS)
    delimiter = _SPELLED_OUT.get(named, named)
    if len(delimiter) != 1 or delimiter in '"\r\n ':
        raise InputError(
            f"`input.delimiter` is {named!r}, which cannot separate cells.",
            remedy="Give one character, such as `,` `;` `|`, or `tab`.",
        )
    return delimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    line: int
    last_line: int
    cells: list[str]


class _Rows:
    """The records of an open file, counted by line."""

    def __init__(self, *, source: TableSource, file: TextIO, delimiter: str) -> None:
        self._source = source
        self._delimiter = delimiter
        self._reader = csv.reader(file, delimiter=delimiter, strict=True)
        self._n_lines_above = source.settings.header_row - 1

    def read_columns(self) -> tuple[str, ...]:
        """The column names, from the first record."""
        record = self._read_record()
        if record is None or _is_blank(record.cells):
            raise InputError(
                f"{self._source.render_place(self._n_lines_above + 1)}: there are no column names in this line.",
                remedy="Set `input.header_row` to the line that holds them.",
            )
        return build_columns(record.cells, place=self._source.render_place(record.line))

    def draw(self, n_columns: int) -> Iterator[RawRow]:
        """The records after the header, each as wide as it."""
        while (record := self._read_record()) is not None:
            cells = record.cells
            if len(cells) != n_columns:
                if n_columns > 1 and _is_blank(cells):
                    continue
                if cells:
                    raise self._build_width_error(record, n_columns)
                cells = [""]
            yield RawRow(line=record.line, cells=tuple(cells))

    def _read_record(self) -> _Record | None:
        line = self._n_lines_above + self._reader.line_num + 1
        try:
            cells = next(self._reader, None)
        except csv.Error as exc:
            raise self._build_quote_error(line, exc) from exc
        if cells is None:
            return None
        return _Record(
            line=line, last_line=self._n_lines_above + self._reader.line_num, cells=cells
        )

    def _build_quote_error(self, line: int, exc: csv.Error) -> InputError:
        last_line = self._n_lines_above + self._reader.line_num
        if "unexpected end" in str(exc):
            what = "a quote is opened in the row that starts here and never closed"
        else:
            what = f"a closing quote is not followed by the delimiter {self._delimiter!r}"
            what += "" if last_line == line else f", in the row that starts in line {line}"
            line = last_line
        return InputError(
            f"{self._source.render_place(line)}: {what}.",
            remedy='Write a quote inside a quoted cell twice (""), and close every quoted cell.',
        )

    def _build_width_error(self, record: _Record, n_columns: int) -> InputError:
        spans = (
            ""
            if record.last_line == record.line
            else f" (it runs on to line {record.last_line}, so a quote may be left open)"
        )
        return InputError(
            f"{self._source.render_place(record.line)}: the row has {len(record.cells)} cells, "
            f"the header has {n_columns}{spans}.",
            remedy=f"Cells are separated by {self._delimiter!r}: quote the cells that hold it, "
            "or set `input.delimiter` where another one is meant.",
        )


def _is_blank(cells: list[str]) -> bool:
    return not cells or (len(cells) == 1 and not cells[0].strip())
