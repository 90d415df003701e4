"""What a comparison looks like on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from llm_assets.core.comparison import Comparison
from llm_assets.core.comparison_text import (
    has_several_batches,
    list_difference_rows,
    list_notes,
    list_side_rows,
    render_field_value,
    render_place,
    render_share,
    render_share_interval,
)
from llm_assets.core.shown_text import show_line

if TYPE_CHECKING:
    from rich.table import Table

MAX_EXAMPLES = 3
MAX_VALUE_CHARS = 60
MAX_CHANGES = 5


def print_comparison(comparison: Comparison) -> None:
    """Tables for people who watch: sides, differences, outcomes, fields with examples."""
    from rich.console import Console

    console = Console()
    for note in list_notes(comparison):
        click.echo(show_line(note))
    for table in _build_tables(comparison):
        console.print(table)
    share = render_share(comparison.n_changed, comparison.n_pairs)
    interval = render_share_interval(comparison.changed_share)
    sure = f"; 95% interval {interval}" if interval else ""
    click.echo(f"{comparison.n_pairs:,} items on both sides; different: {share}{sure}.")


def _build_tables(comparison: Comparison) -> "Iterator[Table]":
    made_with = [(each.what, each.a, each.b) for each in comparison.made_with if not each.is_same]
    yield _build_table(
        ("", f"A: {comparison.a.name}", f"B: {comparison.b.name}"),
        _lower_names([*list_side_rows(comparison), *made_with]),
    )
    if comparison.differences:
        yield _build_table(
            ("over the items of both", "A", "B", "change", "95% interval", ""),
            _lower_names(list_difference_rows(comparison)),
        )
    if comparison.statuses:
        yield _build_table(
            ("outcome in A", "in B", "items"),
            [(each.outcome_a, each.outcome_b, f"{each.n_items:,}") for each in comparison.statuses],
        )
    if comparison.fields:
        yield _build_table(
            ("field", "different", "such as"),
            [
                (
                    field.name,
                    render_share(field.n_different, field.n_pairs),
                    "\n".join(_list_examples(comparison, at)[:MAX_CHANGES]),
                )
                for at, field in enumerate(comparison.fields)
            ],
        )


def _lower_names(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [(name.lower(), *cells) for name, *cells in rows]


def _list_examples(comparison: Comparison, at: int) -> list[str]:
    field = comparison.fields[at]
    if field.changes:
        return [
            f"{show_line(each.label_a)} → {show_line(each.label_b)}: {each.n_items:,}"
            for each in field.changes
        ]
    has_batch = has_several_batches(comparison)
    return [
        f"{render_place(each.place, has_batch=has_batch)}: {_cut(render_field_value(each.value_a))} → "
        f"{_cut(render_field_value(each.value_b))}"
        for each in field.examples[:MAX_EXAMPLES]
    ]


def _cut(text: str) -> str:
    return show_line(text, max_chars=MAX_VALUE_CHARS)


def _build_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in header:
        table.add_column(Text(show_line(name)), overflow="fold")
    for row in rows:
        # As texts, because square brackets are styles to rich.
        table.add_row(*(Text("\n".join(map(show_line, cell.split("\n")))) for cell in row))
    return table
