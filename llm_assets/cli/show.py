"""`llm-assets show`: what became of each item."""

import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import get_args

import click

from llm_assets.cli.item_views import print_items
from llm_assets.cli.task_choice import TaskChoice, choose_task, takes_config
from llm_assets.core.item_columns import (
    build_item_record,
    choose_columns,
    list_default_names,
    parse_column_names,
    read_column,
)
from llm_assets.core.item_listing import ItemOrder, ListedItem, build_listing, parse_outcomes
from llm_assets.core.llm_outputs import Outcome
from llm_assets.gateways.reports import list_telling_columns
from llm_assets.gateways.stored_items import StoredItems, load_stored_items
from llm_assets.gateways.stored_stages import (
    StoredStages,
    build_nothing_stored_error,
    find_stored_batch,
    list_stored_batches,
)

ROWS_ON_A_TERMINAL = 50


@click.command()
@click.argument("task", required=False)
@takes_config
@click.option(
    "--batch", "batches", multiple=True, help="A batch by its key; all that have run by default."
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    metavar="OUTCOME",
    help="Only items that ended so: accepted, invalid, rejected, failed, …, or not_accepted for all but accepted.",
)
@click.option(
    "--columns",
    multiple=True,
    metavar="NAMES",
    help="What to show of each item, separated by commas: columns of the table, output.<field>, judge.<field>, "
    "batch, row, line, outcome, group, input, answer, reason, attempts, tokens, cost_usd, work_id.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many items.")
@click.option(
    "--order",
    type=click.Choice(get_args(ItemOrder)),
    default="failures",
    show_default=True,
    help="Items without an accepted output first, or the rows' own order.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object for each item, line by line."
)
def show(
    task: str | None,
    config: Path | None,
    *,
    batches: tuple[str, ...],
    outcomes: tuple[str, ...],
    columns: tuple[str, ...],
    limit: int | None,
    order: ItemOrder,
    as_json: bool,
) -> None:
    """List TASK's items: what became of each row, why, after how many attempts and at what cost.

    On a terminal it is a table of the first items, with long texts cut; elsewhere a line for each item, with tabs
    between the columns and their names in the first line.
    """
    choice = choose_task(task, config=config)
    wanted = parse_outcomes(outcomes)
    stored = [load_stored_items(stages) for stages in _choose_batches(choice, batches)]
    items = [item for each in stored for item in _list_items(each, outcomes=wanted, order=order)]
    input_columns = list(
        dict.fromkeys(name for each in stored for name in each.snapshot.meta.columns)
    )
    names = parse_column_names(columns)
    records = [item for each in stored for item in each.outputs.records]
    chosen = choose_columns(
        names or list_default_names(items), records, input_columns=input_columns
    )
    if not as_json:
        is_terminal = sys.stdout.isatty()
        n_shown = limit or (ROWS_ON_A_TERMINAL if is_terminal else len(items))
        print_items(items, chosen, n_shown=n_shown, is_terminal=is_terminal)
        return
    for listed in islice(items, limit):
        record = (
            {column.name: read_column(listed, column) for column in chosen}
            if names
            else build_item_record(listed, input_columns=input_columns)
        )
        click.echo(json.dumps(record, ensure_ascii=False))


def _choose_batches(choice: TaskChoice, batches: Sequence[str]) -> list[StoredStages]:
    task, project = choice.task, choice.project
    keys = tuple(dict.fromkeys(batches)) or list_stored_batches(task, project)
    if not keys:
        raise build_nothing_stored_error(task)
    return [find_stored_batch(task, project, key) for key in keys]


def _list_items(
    stored: StoredItems, *, outcomes: frozenset[Outcome], order: ItemOrder
) -> tuple[ListedItem, ...]:
    return build_listing(
        stored.batch,
        stored.snapshot,
        stored.outputs.records,
        telling_columns=list_telling_columns(stored.items_meta),
        outcomes=outcomes,
        order=order,
    )
