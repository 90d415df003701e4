"""Which item of one task, or of one state of it, answers for the same rows as which item of another.

Groups are the same where their keys are. Rows are the same

- where both tasks name rows by the same id column: with the same name;
- else, in the same table of the same file: on the same line, whatever each task cleans off the cells;
- else, and for rows that are left: with the same values in the columns that both tables have, the first of several
  equal rows with the first, the second with the second.

No row is paired twice, and it makes no difference which of the two is named first.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llm_assets.config.grouping import Mode
from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import BatchKey, WorkId
from llm_assets.core.input_snapshot import InputRow
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.report_items import build_input_excerpt
from llm_assets.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedItem:
    """One item with the first of its rows."""

    batch: BatchKey
    number: int
    """Of its first row, counted from 1 below the header."""
    row: InputRow
    about: str
    """What the model was asked about, in a line."""
    item: ItemOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedBatch:
    """One batch of one side."""

    name: str
    """Of its side, for messages."""
    batch: BatchKey
    table_id: str
    """Equal where line numbers mean the same lines of the same table."""
    mode: Mode
    id_column: str | None
    """The column that names the rows; None where their content does."""
    columns: tuple[str, ...]
    items: tuple[ComparedItem, ...]
    scores: Mapping[WorkId, float] = field(default_factory=dict[WorkId, float])
    """What the items scored by expected answers; empty where nothing is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPair:
    """Two items that answer for the same rows."""

    a: ComparedItem
    b: ComparedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Every item of both sides, paired or alone, in the order of the first side and then of the second."""

    pairs: tuple[ItemPair, ...]
    only_a: tuple[ComparedItem, ...]
    only_b: tuple[ComparedItem, ...]


def build_compared_items(
    batch: BatchKey,
    rows: Sequence[InputRow],
    records: Sequence[ItemOutput],
    *,
    telling_columns: Sequence[str],
) -> tuple[ComparedItem, ...]:
    """The items beside their rows; the records are those of the rows."""
    by_id = {row.row_id: row for row in rows}
    numbers = {row.row_id: number for number, row in enumerate(rows, start=1)}
    return tuple(
        ComparedItem(
            batch=batch,
            number=numbers[item.row_ids[0]],
            row=by_id[item.row_ids[0]],
            about=build_input_excerpt(item, by_id, columns=telling_columns),
            item=item,
        )
        for item in records
    )


def match_items_of(a: ComparedBatch, b: ComparedBatch) -> Matching:
    """Pair the items of two batches; `InputError` where one has an item for each row and the other for each group."""
    if (a.mode == "group_output") is not (b.mode == "group_output"):
        grouped, other = (a, b) if a.mode == "group_output" else (b, a)
        raise InputError(
            f"{grouped.name} has one output for each group and {other.name} one for each row: they have no items in common.",
            remedy="Compare tasks whose `grouping.mode` gives outputs for the same things.",
        )
    found: dict[int, int] = {}
    for rule in _choose_rules(a, b):
        _pair(a.items, b.items, rule, found)
    taken = frozenset(found.values())
    return Matching(
        pairs=tuple(ItemPair(a=a.items[at], b=b.items[found[at]]) for at in sorted(found)),
        only_a=tuple(each for at, each in enumerate(a.items) if at not in found),
        only_b=tuple(each for at, each in enumerate(b.items) if at not in taken),
    )


_Rule = Callable[[ComparedItem], Hashable]


def _choose_rules(a: ComparedBatch, b: ComparedBatch) -> Iterable[_Rule]:
    if a.mode == "group_output":
        return [lambda each: each.item.group_key]
    if a.id_column is not None and a.id_column == b.id_column:
        return [lambda each: each.row.row_id]
    shared = tuple(name for name in a.columns if name in b.columns)
    rules: list[_Rule] = []
    if a.table_id == b.table_id:
        rules.append(lambda each: each.row.line)
    if shared:
        names = sorted(shared)  # the order of columns is no content
        rules.append(lambda each: render_json([each.row.values.get(name) for name in names]))
    return rules


def _pair(
    a: Sequence[ComparedItem], b: Sequence[ComparedItem], rule: _Rule, found: dict[int, int]
) -> None:
    """Add to `found` what the rule pairs of those that are still alone."""
    taken = frozenset(found.values())
    waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
    for at in reversed(range(len(b))):
        if at not in taken:
            waiting[rule(b[at])].append(at)
    for at, each in enumerate(a):
        if at not in found and (same := waiting.get(rule(each))):
            found[at] = same.pop()
