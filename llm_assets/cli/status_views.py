"""What the state of a task looks like to a person."""

from collections import defaultdict
from typing import TYPE_CHECKING

import click

from llm_assets.core.staleness import State
from llm_assets.core.status_text import (
    STATE_WORDS,
    render_batch,
    render_counts,
    render_outcomes,
    render_reason,
    render_shared,
)
from llm_assets.core.task_status import BatchStatus, TaskStatus

if TYPE_CHECKING:
    from rich.table import Table

MAX_FRESH_SHOWN = 20
"""Beyond so many batches those that need nothing are only counted."""
_STYLES: dict[State, str] = {
    "fresh": "green",
    "stale": "yellow",
    "will_be_stale": "cyan",
    "missing": "bright_black",
    "failed": "red",
    "running": "blue",
}


def print_status(status: TaskStatus, *, is_terminal: bool, shows_all: bool) -> None:
    """A matrix for people who watch, a line for each batch for everything else."""
    shown = _choose_shown(status, shows_all=shows_all)
    n_left_out = len(status.batches) - len(shown)
    if is_terminal:
        from rich.console import Console

        Console().print(build_status_table(status, shown))
    else:
        for batch in shown:
            click.echo(render_batch(batch))
    if n_left_out:
        click.echo(f"{n_left_out} more batches are fresh (--all lists them).")
    for line in (*render_shared(status), *(_list_reasons(shown) if is_terminal else ())):
        click.echo(line)
    click.echo(_render_summary(status))


def build_status_table(status: TaskStatus, batches: tuple[BatchStatus, ...]) -> "Table":
    """A row for each batch, a column for each stage."""
    from rich.table import Table
    from rich.text import Text

    names = [node.name for node in status.graph.batched]
    headers = [name.replace("_", "\n") for name in names]
    table = Table("batch", *headers, "items", "outcomes", title=status.task)
    for batch in batches:
        states: list[State] = [batch.stages[name].state for name in names]
        cells = [Text(STATE_WORDS[state], style=_STYLES[state]) for state in states]
        name = batch.batch if batch.has_file else f"{batch.batch} (file gone)"
        table.add_row(name, *cells, str(batch.n_items), render_outcomes(batch))
    return table


def _choose_shown(status: TaskStatus, *, shows_all: bool) -> tuple[BatchStatus, ...]:
    if shows_all or len(status.batches) <= MAX_FRESH_SHOWN:
        return status.batches
    return tuple(batch for batch in status.batches if batch.state != "fresh")


def _list_reasons(batches: tuple[BatchStatus, ...]) -> list[str]:
    """Each reason once, with the batches it holds for."""
    found: dict[str, list[str]] = defaultdict(list)
    for batch in batches:
        for name, stage in batch.stages.items():
            for reason in stage.reasons:
                if reason.kind != "upstream":
                    line = f"{name} {STATE_WORDS[stage.state]}: {render_reason(reason)}"
                    found[line].append(batch.batch)
    return [f"{line} ({_list_keys(keys)})" for line, keys in found.items()]


def _list_keys(keys: list[str]) -> str:
    first = ", ".join(keys[:3])
    return first if len(keys) <= 3 else f"{first} and {len(keys) - 3} more"


def _render_summary(status: TaskStatus) -> str:
    if status.is_fresh:
        return f"{render_counts(status)}. There is nothing to do."
    return f"{render_counts(status)}. `llm-assets run {status.task} --stale` brings up to date what it can."
