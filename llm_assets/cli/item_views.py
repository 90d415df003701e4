"""What a list of items looks like to a person, and to a script that cuts lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from llm_assets.core.item_columns import ItemColumn, read_column
from llm_assets.core.item_listing import ListedItem
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.shown_text import show_line

if TYPE_CHECKING:
    from rich.table import Table

MAX_CELL_CHARS = 200
MIN_TEXT_CHARS = 12
"""A narrower column of text would say nothing; then the table is wider than the terminal."""
ID_CHARS = 12
"""Of a work id; its beginning is enough for `llm-assets trace`."""
NUMBERS = ("row", "line", "attempts", "tokens", "cost_usd")
WHOLE = (*NUMBERS, "outcome", "work_id")
"""Never cut to fit."""
_GAP = 2
"""Between two columns: the padding of the one and a bar that is not drawn."""


def print_items(
    items: Sequence[ListedItem],
    columns: Sequence[ItemColumn],
    *,
    n_shown: int,
    is_terminal: bool,
) -> None:
    """A table with cut cells for people who watch, a tab-separated line for each item for everything else."""
    if is_terminal:
        _print_table(items[:n_shown], columns)
        if len(items) > n_shown:
            click.echo(f"{len(items) - n_shown:,} more; --limit {len(items)} shows all.")
        return
    click.echo("\t".join(show_line(column.name) for column in columns))
    for listed in items[:n_shown]:
        cells = (render_cell(read_column(listed, column)) for column in columns)
        click.echo("\t".join(map(show_line, cells)))


def _print_table(items: Sequence[ListedItem], columns: Sequence[ItemColumn]) -> None:
    from rich.console import Console

    if not items:
        click.echo("No item ended so.")
        return
    console = Console()
    console.print(_build_table(items, columns, width=console.width))


def _build_table(
    items: Sequence[ListedItem], columns: Sequence[ItemColumn], *, width: int
) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[_render_cell(listed, column) for column in columns] for listed in items]
    widths = _share_width(columns, cells, width=width)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for column, column_width in zip(columns, widths, strict=True):
        table.add_column(
            Text(show_line(column.name)),
            justify="right" if _is_own(column, NUMBERS) else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=column_width,
        )
    for row in cells:
        # As texts, because square brackets are styles to rich.
        table.add_row(*map(Text, row))
    return table


def _share_width(
    columns: Sequence[ItemColumn], cells: Sequence[Sequence[str]], *, width: int
) -> list[int]:
    """What every column needs, and for those of text an equal share of what is left where that is less."""
    needed = [
        max(len(column.name), *(len(row[at]) for row in cells)) for at, column in enumerate(columns)
    ]
    is_whole = [_is_own(column, WHOLE) for column in columns]
    taken = sum(need for need, whole in zip(needed, is_whole, strict=True) if whole)
    left = width - taken - _GAP * len(columns)
    texts = sorted(need for need, whole in zip(needed, is_whole, strict=True) if not whole)
    share = left
    for n_wider, need in zip(range(len(texts), 0, -1), texts, strict=True):
        share = left // n_wider
        if need > share:
            break
        left -= need
    share = max(share, MIN_TEXT_CHARS)
    return [
        need if whole else min(need, share) for need, whole in zip(needed, is_whole, strict=True)
    ]


def _is_own(column: ItemColumn, names: Sequence[str]) -> bool:
    return column.source == "item" and column.path[0] in names


def _render_cell(listed: ListedItem, column: ItemColumn) -> str:
    text = render_cell(read_column(listed, column))
    if _is_own(column, ("work_id",)):
        text = text[:ID_CHARS]
    return show_line(text, max_chars=MAX_CELL_CHARS)
