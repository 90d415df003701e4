"""`llm-assets spend`: what all calls on record took."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_assets.core.spend import SPEND_KEYS, Spend, SpendKey, add_spends
from llm_assets.gateways.env_file import load_env_file
from llm_assets.gateways.ledger.viewing import open_ledger_view
from llm_assets.gateways.project import load_project

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.option(
    "--by",
    type=click.Choice(SPEND_KEYS),
    default="day",
    show_default=True,
    help="What the calls are added up by; days are those of UTC.",
)
@click.option(
    "--since",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="DATE",
    help="Only calls from this day on, such as 2026-03-01, in UTC.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def spend(by: SpendKey, since: datetime | None, *, as_json: bool) -> None:
    """Add up what the project's calls took: calls, answers, faults, tokens, cost.

    Every call on record counts, those of judges and of schema proposals and those that failed included. A cost that
    is not known is said to be unknown, never 0.
    """
    project = load_project(Path.cwd())
    load_env_file(project.root)
    with open_ledger_view(project.ledger_url) as ledger:
        spends = ledger.history.sum_spend(by, since=since.date() if since else None)
    total = add_spends("total", spends)
    if as_json:
        lines = [{by: each.name, **each.build_record()} for each in spends]
        click.echo(
            json.dumps(
                {"by": by, "lines": lines, "total": total.build_record()}, ensure_ascii=False
            )
        )
        return
    if not spends:
        click.echo("No calls are on record.")
    elif sys.stdout.isatty():
        from rich.console import Console

        Console().print(build_spend_table(spends, total, by=by))
    else:
        for each in (*spends, total):
            click.echo(render_spend(each))


def build_spend_table(spends: Sequence[Spend], total: Spend, *, by: SpendKey) -> "Table":
    """A row for each sum, and the total below."""
    from rich.table import Table

    table = Table(by, *("calls", "answers", "faults", "prompt", "cached", "completion", "cost"))
    for each in spends:
        table.add_row(*_list_cells(each))
    table.add_section()
    table.add_row(*_list_cells(total))
    return table


def render_spend(spend: Spend) -> str:
    """A sum in a line."""
    return (
        f"{spend.name}: {spend.n_calls:,} calls, {spend.n_answers:,} answers, {spend.n_faults:,} faults; "
        f"{spend.prompt_tokens:,} prompt tokens ({spend.cached_tokens:,} cached), "
        f"{spend.completion_tokens:,} completion tokens; {spend.render_cost()}"
    )


def _list_cells(spend: Spend) -> tuple[str, ...]:
    counts = (
        spend.n_calls,
        spend.n_answers,
        spend.n_faults,
        spend.prompt_tokens,
        spend.cached_tokens,
        spend.completion_tokens,
    )
    return (spend.name, *(f"{count:,}" for count in counts), spend.render_cost())
