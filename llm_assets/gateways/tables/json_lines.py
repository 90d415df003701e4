"""How JSON Lines files are read: one object a line, all with the keys of the first one."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, TextIO, cast

from llm_assets.core.table import RawRow, RawTable
from llm_assets.errors import InputError
from llm_assets.gateways.tables.columns import build_columns
from llm_assets.gateways.tables.encoding import read_encoding
from llm_assets.gateways.tables.source import TableSource
from llm_assets.gateways.tables.typed_cells import decide_cell_builder


@contextmanager
def open_json_lines(source: TableSource) -> Generator[RawTable]:
    """The table in a file of JSON objects; the first one's keys are the columns."""
    encoding = read_encoding(source)
    with source.path.open(encoding=encoding) as file:
        keys, columns = _read_header(source, file)
        file.seek(0)
        yield RawTable(
            path=source.shown_path,
            format=source.format,
            encoding=encoding,
            sha256=source.sha256,
            columns=columns,
            rows=_draw_rows(source, file, keys),
        )


def _read_header(source: TableSource, file: TextIO) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The first record's keys, as they are written and as columns."""
    for line, record in _draw_records(source, file):
        keys = tuple(record)
        place = source.render_place(line)
        if not keys:
            raise InputError(
                f"{place}: the first object has no keys.", remedy="Its keys name the columns."
            )
        return keys, build_columns(keys, place=place)
    raise InputError(
        f"{source.shown_path} has no records, so its columns are not known.",
        remedy="Put one JSON object on each line.",
    )


def _draw_rows(source: TableSource, file: TextIO, keys: Sequence[str]) -> Iterator[RawRow]:
    build_cell = decide_cell_builder(source.settings.types)
    expected = frozenset(keys)
    for line, record in _draw_records(source, file):
        if record.keys() != expected:
            raise _build_keys_error(source.render_place(line), record, expected)
        try:
            cells = tuple([build_cell(record[key]) for key in keys])
        except (ValueError, RecursionError) as exc:
            raise _build_record_error(source.render_place(line), exc) from exc
        yield RawRow(line=line, cells=cells)


def _draw_records(source: TableSource, file: TextIO) -> Iterator[tuple[int, dict[str, object]]]:
    decode = json.JSONDecoder(object_pairs_hook=_build_object, parse_constant=_refuse).decode
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            record = cast("object", decode(text))
        except (ValueError, RecursionError) as exc:
            raise _build_record_error(source.render_place(line), exc) from exc
        if not isinstance(record, dict):
            raise InputError(
                f"{source.render_place(line)}: this is JSON, but not an object.",
                remedy="Write one object on each line, with no brackets or commas around them.",
            )
        yield line, cast("dict[str, object]", record)


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    built = dict(pairs)
    if len(built) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return built


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _build_keys_error(
    place: str, record: dict[str, object], expected: frozenset[str]
) -> InputError:
    more = [key for key in record if key not in expected]
    less = sorted(expected - record.keys())
    what = f"the key {more[0]!r} is not among those" if more else f"the key {less[0]!r} is missing"
    return InputError(
        f"{place}: {what} {'of' if more else 'that stands in'} the first record.",
        remedy="Give every record the same keys; a missing value can be null.",
    )


def _build_record_error(place: str, exc: ValueError | RecursionError) -> InputError:
    if isinstance(exc, json.JSONDecodeError):
        why = f"this is not one JSON object: {exc.msg}, column {exc.colno}"
    elif isinstance(exc, RecursionError):
        why = "the object is nested too deeply"
    else:
        why = f"the object cannot be read: {exc}"
    return InputError(f"{place}: {why}.", remedy="Write one JSON object on each line.")
