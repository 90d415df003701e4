"""Which entries of a materialization's metadata tell a person something, and which of them come first?

A page of zeros hides the numbers that count. And Dagster reads every entry of every batch with each look at all of
them, at 11 µs an entry, which is a second where each of a thousand batches has ninety more.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

import dagster as dg

from llm_assets.core.llm_outputs import Totals
from llm_assets.core.money import render_cost

Entry = TypeVar("Entry")
_LINKS = (dg.PathMetadataValue, dg.UrlMetadataValue)
_TEXTS = (dg.MarkdownMetadataValue,)
_TABLES = (dg.TableMetadataValue, dg.TableSchema, dg.TableColumnLineage)


def order_entries(entries: Mapping[str, Any]) -> dict[str, Any]:
    """What is read at a glance before links to files, these before texts, and tables last; else as they stood.

    Dagster shows entries in the order in which they were given, and a table takes the height of a screen.
    """
    return dict(sorted(entries.items(), key=lambda entry: _rank(entry[1])))


def _rank(value: object) -> int:
    kinds = (_LINKS, _TEXTS, _TABLES)
    return next((rank for rank, kind in enumerate(kinds, start=1) if isinstance(value, kind)), 0)


def leave_out_zeros(entries: Mapping[str, int]) -> dict[str, int]:
    """The counts of what occurred, and of yes and no the yes."""
    return {name: count for name, count in entries.items() if count}


def leave_out_unknown(entries: Mapping[str, Entry | None]) -> dict[str, Entry]:
    """The values there are; a zero that was measured is one."""
    return {name: value for name, value in entries.items() if value is not None}


def describe_amount(name: str, amount: Decimal, *, is_known: bool) -> dict[str, float]:
    """US dollars as a point of a plot; none where a part of the amount is not known."""
    return {name: float(amount)} if is_known else {}


def describe_cost(name: str, totals: Totals) -> dict[str, float | str]:
    """The cost as a number named `<name>_usd`, or in words as `<name>` where a part of it is not known."""
    if totals.n_calls_unpriced == 0:
        return {f"{name}_usd": float(totals.cost_usd)}
    text = render_cost(
        totals.cost_usd, n_calls=totals.n_calls, n_calls_unpriced=totals.n_calls_unpriced
    )
    return {name: text}
