"""`llm-assets status`: which batches there are, what of them is up to date, and why the rest is not."""

import json
import sys
from pathlib import Path

import click

from llm_assets.cli.status_views import print_status
from llm_assets.cli.task_choice import choose_task, open_runner, takes_config


@click.command()
@click.argument("task", required=False)
@takes_config
@click.option("--all", "shows_all", is_flag=True, help="List every batch, however many are fresh.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def status(task: str | None, config: Path | None, *, shows_all: bool, as_json: bool) -> None:
    """Show which stages of TASK's batches are up to date, and why the others are not.

    A stage is stale where today's files and settings would make it from something else; what comes after it may
    change. `llm-assets run TASK --stale` brings exactly that up to date. Nothing is sent and nothing is changed.
    """
    with open_runner(choose_task(task, config=config)) as runner:
        found = runner.read_status()
    if as_json:
        click.echo(json.dumps(found.build_record(), ensure_ascii=False))
        return
    print_status(found, is_terminal=sys.stdout.isatty(), shows_all=shows_all)
