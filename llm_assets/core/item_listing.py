"""Which items of a batch a person asks to see, and where each of them stands in the source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputRow, InputSnapshot
from llm_assets.core.llm_outputs import OUTCOMES, ItemOutput, Outcome
from llm_assets.core.report_items import build_input_excerpt, rank_items
from llm_assets.errors import InputError, suggest

NOT_ACCEPTED = "not_accepted"
"""Stands for every outcome but `accepted`."""

ItemOrder = Literal["failures", "rows"]
"""`failures` puts items without an accepted output first; within both parts, and in `rows`, it is that of the input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedItem:
    """One item beside the rows it answers for."""

    batch: BatchKey
    number: int
    """Of its first row, counted from 1 below the header."""
    rows: tuple[InputRow, ...]
    about: str
    """What the model was asked about, in a line."""
    item: ItemOutput


def parse_outcomes(names: Iterable[str]) -> frozenset[Outcome]:
    """The outcomes that are asked for, all where none is named; `InputError` for a word that is none."""
    asked = tuple(names)
    known: dict[str, frozenset[Outcome]] = {name: frozenset({name}) for name in OUTCOMES}
    known[NOT_ACCEPTED] = frozenset(OUTCOMES) - {"accepted"}
    for name in asked:
        if name not in known:
            raise InputError(
                f"There is no outcome {name!r}.",
                remedy=f"{suggest(name, known)} Outcomes: {', '.join(known)}.".strip(),
            )
    return frozenset(outcome for name in asked or OUTCOMES for outcome in known[name])


def build_listing(
    batch: BatchKey,
    snapshot: InputSnapshot,
    records: Sequence[ItemOutput],
    *,
    telling_columns: Sequence[str],
    outcomes: frozenset[Outcome],
    order: ItemOrder,
) -> tuple[ListedItem, ...]:
    """The items of these outcomes in this order; the records are those of the snapshot's rows.

    `telling_columns` are those that say in a line what an item is about.
    """
    rows = {row.row_id: row for row in snapshot.records}
    places = {row.row_id: place for place, row in enumerate(snapshot.records)}
    ranked = rank_items(records) if order == "failures" else records
    return tuple(
        ListedItem(
            batch=batch,
            number=places[item.row_ids[0]] + 1,
            rows=tuple(rows[row_id] for row_id in item.row_ids),
            about=build_input_excerpt(item, rows, columns=telling_columns),
            item=item,
        )
        for item in ranked
        if item.outcome in outcomes
    )
