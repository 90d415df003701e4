"""`llm-assets report`: make the reports again from what is stored."""

import json
from pathlib import Path

import click
from pydantic import JsonValue

from llm_assets.cli.task_choice import choose_task, takes_config
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.report_index import write_index
from llm_assets.gateways.stored_reports import RenewedReport, renew_report
from llm_assets.gateways.stored_stages import list_stored_batches


@click.command()
@click.argument("task", required=False)
@takes_config
@click.option(
    "--batch", "batches", multiple=True, help="A batch by its key; all that have run by default."
)
@click.option("--open", "should_open", is_flag=True, help="Open the page in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def report(
    task: str | None,
    config: Path | None,
    *,
    batches: tuple[str, ...],
    should_open: bool,
    as_json: bool,
) -> None:
    """Write TASK's reports again, from the artifacts and the ledger; nothing is sent.

    While a run is going on, or after one that was stopped, the report of its batch shows what is on record so far
    and is marked as partial.
    """
    choice = choose_task(task, config=config)
    keys = [BatchKey(key) for key in batches] or list_stored_batches(choice.task, choice.project)
    renewed = [renew_report(choice.task, choice.project, key) for key in keys]
    index = write_index(choice.task, choice.project)
    if as_json:
        record = {"task": choice.task.name, "index": str(index)}
        lines = [_build_record(each) for each in renewed]
        click.echo(json.dumps({**record, "batches": lines}, ensure_ascii=False))
    else:
        for each in renewed:
            note = f" (partial: {each.partial})" if each.partial else ""
            click.echo(f"{choice.task.name} / {each.batch}: {each.written.page}{note}")
        click.echo(f"{choice.task.name}, all batches: {index}")
    if should_open:
        page = renewed[0].written.page if len(renewed) == 1 else index
        click.launch(page.as_uri())


def _build_record(renewed: RenewedReport) -> dict[str, JsonValue]:
    return {
        "batch": renewed.batch,
        "is_partial": renewed.partial is not None,
        "page": str(renewed.written.page),
        "markdown": str(renewed.written.path),
    }
