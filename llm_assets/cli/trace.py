"""`llm-assets trace`: where an output comes from."""

import json
import sys
from pathlib import Path

import click

from llm_assets.cli.task_choice import choose_task, takes_config
from llm_assets.core.shown_text import show_text
from llm_assets.core.trace_record import build_trace_record
from llm_assets.core.trace_text import render_trace
from llm_assets.gateways.traces import TraceChoice, open_traces


@click.command()
@click.argument("task", required=False)
@click.argument("work_id", required=False)
@takes_config
@click.option(
    "--batch",
    help="The batch by its key; needed where several have the item, and for a row of several.",
)
@click.option(
    "--row",
    type=click.IntRange(min=1),
    metavar="N",
    help="The item of a row: the first below the header is 1.",
)
@click.option(
    "--line",
    type=click.IntRange(min=1),
    metavar="N",
    help="The item of a line of the source, the header's included: what an editor or a report calls line N.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def trace(
    task: str | None,
    work_id: str | None,
    config: Path | None,
    *,
    batch: str | None,
    row: int | None,
    line: int | None,
    as_json: bool,
) -> None:
    """Show how one output of TASK came about: source line, row, every call with its words, output, export line.

    The item is named by its WORK_ID, of which the beginning is enough, by --row or by --line. Everything is read
    from the artifacts and the ledger: nothing is sent, no key is needed, and prompts are those that were sent,
    whatever the prompt file says now. What cannot be found is said.
    """
    if config is not None and task is not None and work_id is None:
        task, work_id = None, task  # the file names the task, so the one word is the item
    if sum(each is not None for each in (work_id, row, line)) != 1:
        raise click.UsageError("Name one item: by its WORK_ID, with --row N or with --line N.")
    choice = choose_task(task, config=config)
    with open_traces(choice.task, choice.project) as traces:
        found = traces.trace_item(TraceChoice(work_id=work_id, row=row, line=line), batch=batch)
    if as_json:
        click.echo(json.dumps(build_trace_record(found), ensure_ascii=False))
        return
    text = render_trace(found)
    click.echo(show_text(text) if sys.stdout.isatty() else text)
