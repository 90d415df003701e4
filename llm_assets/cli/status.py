"""`llm-assets status`: which batches there are and how far each of them is."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from llm_assets.cli.task_choice import choose_task
from llm_assets.gateways.batches import list_batches


@click.command()
@click.argument("task", required=False)
@click.option(
    "--config", type=click.Path(path_type=Path), help="A task file outside of the project."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def status(task: str | None, config: Path | None, *, as_json: bool) -> None:
    """Show TASK's batches: which stages have run, and what became of the items."""
    from llm_assets.defs.batch_status import build_statuses
    from llm_assets.defs.history import open_history
    from llm_assets.defs.project_definitions import build_scope

    choice = choose_task(task, config=config)
    scope = build_scope(choice.project, choice.task, observers=())
    with open_history(choice.project) as history:
        statuses = build_statuses(scope, history, list_batches(choice.task, choice.project))
    if as_json:
        batches = [status.build_json() for status in statuses]
        click.echo(json.dumps({"task": choice.task.name, "batches": batches}, ensure_ascii=False))
        return
    table = Table("batch", "stages that have run", "items", "outcomes", title=choice.task.name)
    for batch in statuses:
        outcomes = ", ".join(f"{count} {name}" for name, count in batch.outcomes.items() if count)
        done = ", ".join(batch.stages_run) or "none"
        missing = f" (missing: {', '.join(batch.stages_missing)})" if batch.stages_missing else ""
        table.add_row(batch.batch, done + missing, str(batch.n_items), outcomes)
    Console().print(table)
