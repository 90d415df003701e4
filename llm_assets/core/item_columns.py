"""Which values of an item can be asked for, by which names."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from llm_assets.core.item_listing import ListedItem
from llm_assets.core.item_sums import count_item_attempts, sum_item_cost, sum_item_tokens
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.money import render_amount
from llm_assets.core.report_items import build_answer_excerpt
from llm_assets.errors import InputError, suggest

Source = Literal["item", "input", "output", "judge"]

_ALIASES = {"status": "outcome", "error": "reason", "group_key": "group"}
"""What the export calls them."""
DEFAULT_NAMES = ("row", "outcome", "input", "answer", "attempts", "cost_usd", "work_id")
MAX_LINES = 50
"""Source lines named for one item; a group may have thousands."""
MAX_NAMED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemColumn:
    """A value that every listed item has, be it empty."""

    name: str
    """As it was asked for."""
    source: Source
    path: tuple[str, ...]
    """The keys that lead to the value in its source."""


def parse_column_names(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in comma-separated lists; one that holds a comma itself stands in double quotes."""
    rows = csv.reader(texts, skipinitialspace=True)
    return tuple(dict.fromkeys(name.strip() for row in rows for name in row if name.strip()))


def list_default_names(items: Sequence[ListedItem]) -> tuple[str, ...]:
    """What is shown where nothing is asked for: no batch where there is only one, no group where there is none."""
    is_grouped = any(listed.item.group_key is not None for listed in items)
    more = [("batch", len({listed.batch for listed in items}) > 1), ("group", is_grouped)]
    shown = {name for name, is_shown in more if is_shown} | {*DEFAULT_NAMES}
    return tuple(name for name in OWN_NAMES if name in shown)


def choose_columns(
    names: Sequence[str], records: Sequence[ItemOutput], *, input_columns: Sequence[str]
) -> tuple[ItemColumn, ...]:
    """The columns of these names; `InputError` naming those that none of the records has.

    A column of the table is called by its name or as `input.<name>`, a field of the output by its name, its dotted
    path or as `output.<path>`, one of the verdict as `judge.<path>`. Where a bare name could mean several, the
    item's own values come first, then the table's columns.
    """
    available = _list_available(records, input_columns)
    if all(item.output is None for item in records):
        # Nobody knows the fields then, and a script that asks for one should not fail for it.
        for name in names:
            source, _, rest = name.partition(".")
            if source == "output" and rest:
                available.setdefault(name, ("output", tuple(rest.split("."))))
    unknown = [name for name in names if name not in available]
    if unknown:
        raise _build_unknown_error(unknown, available)
    return tuple(
        ItemColumn(name=name, source=available[name][0], path=available[name][1]) for name in names
    )


def read_column(listed: ListedItem, column: ItemColumn) -> JsonValue:
    """The item's value; None where it has none."""
    item = listed.item
    if column.source == "item":
        return _OWN[column.path[0]](listed)
    if column.source == "input":
        return listed.rows[0].values.get(column.path[0]) if len(listed.rows) == 1 else None
    at: JsonValue = item.output if column.source == "output" else item.verdict
    for key in column.path:
        at = at.get(key) if isinstance(at, dict) else None
    return at


def build_item_record(listed: ListedItem, *, input_columns: Sequence[str]) -> dict[str, JsonValue]:
    """All of it for scripts, input and output included."""
    item = listed.item
    own = {name: read(listed) for name, read in _OWN.items() if name not in ("input", "answer")}
    values: dict[str, JsonValue] = {name: listed.rows[0].values.get(name) for name in input_columns}
    return {
        **own,
        "row_ids": list(item.row_ids),
        "input": values if len(listed.rows) == 1 else None,
        "output": item.output,
        "verdict": item.verdict,
    }


def _list_available(
    records: Sequence[ItemOutput], input_columns: Sequence[str]
) -> dict[str, tuple[Source, tuple[str, ...]]]:
    outputs = dict.fromkeys(path for item in records for path in _walk(item.output or {}))
    verdicts = dict.fromkeys(path for item in records for path in _walk(item.verdict or {}))
    available: dict[str, tuple[Source, tuple[str, ...]]] = {
        name: ("item", (name,)) for name in OWN_NAMES
    }
    for column in input_columns:
        available.setdefault(column, ("input", (column,)))
    for path in outputs:
        available.setdefault(".".join(path), ("output", path))
    for alias, name in _ALIASES.items():
        available.setdefault(alias, ("item", (name,)))
    for path in verdicts:
        available.setdefault(".".join(("judge", *path)), ("judge", path))
    # With their source before them, names mean one thing, whatever else is called like it.
    available |= {f"input.{column}": ("input", (column,)) for column in input_columns}
    available |= {".".join(("output", *path)): ("output", path) for path in outputs}
    return available


def _walk(value: Mapping[str, JsonValue], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in value.items():
        yield (*path, name)
        if isinstance(field, dict):
            yield from _walk(field, (*path, name))


def _read_lines(listed: ListedItem) -> JsonValue:
    lines: list[JsonValue] = [row.line for row in listed.rows[:MAX_LINES]]
    return lines[0] if len(lines) == 1 else lines


def _read_cost(listed: ListedItem) -> JsonValue:
    cost_usd = sum_item_cost(listed.item)
    return None if cost_usd is None else render_amount(cost_usd)


_OWN: dict[str, Callable[[ListedItem], JsonValue]] = {
    "batch": lambda listed: listed.batch,
    "row": lambda listed: listed.number,
    "line": _read_lines,
    "outcome": lambda listed: listed.item.outcome,
    "group": lambda listed: listed.item.group_key,
    "input": lambda listed: listed.about,
    "answer": lambda listed: build_answer_excerpt(listed.item, fields=()),
    "reason": lambda listed: listed.item.reason,
    "attempts": lambda listed: count_item_attempts(listed.item),
    "tokens": lambda listed: sum_item_tokens(listed.item),
    "cost_usd": _read_cost,
    "work_id": lambda listed: listed.item.work_id,
}
OWN_NAMES = tuple(_OWN)
"""What every item has. `input` and `answer` say in a line what it is about and what came of it."""


def _build_unknown_error(unknown: Sequence[str], available: Iterable[str]) -> InputError:
    names = list(available)
    hints = [f"There is no column {name!r}. {suggest(name, names)}".strip() for name in unknown]
    short = [name for name in names if not name.startswith(("input.", "output."))]
    more = f" and {len(short) - MAX_NAMED} more" if len(short) > MAX_NAMED else ""
    return InputError(
        " ".join(hints),
        remedy=f"Choose from: {', '.join(short[:MAX_NAMED])}{more}.",
    )
