"""`llm-assets run`: bring a task's batches to their exports and reports."""

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from llm_assets.cli.batch_runs import BatchRuns
from llm_assets.cli.console import Console, open_console
from llm_assets.cli.task_choice import TaskChoice, open_runner
from llm_assets.cli.task_options import TaskRequest, takes_task
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.setting_changes import build_changes_record
from llm_assets.gateways.batches import Batch, register_batch_file

if TYPE_CHECKING:
    from llm_assets.defs.runs import TaskRunner  # imports Dagster, which takes long


@click.command()
@takes_task(
    input_help="A table anywhere; it becomes a batch named by its stem.",
    force_help="Ask anew, also where there are answers. This is paid again.",
    json_help="Print one JSON object instead of lines.",
)
@click.option(
    "--stale",
    is_flag=True,
    help="Only what is stale, missing or failed, and what then turns out to be stale after it.",
)
def run(request: TaskRequest, *, stale: bool) -> None:
    """Run TASK: read its tables, ask the model what is not on record, write exports and reports.

    Answered calls are never sent again: a second run of the same batch sends none.
    """
    if stale and (request.is_forced or request.limit is not None):
        raise click.UsageError(
            "--stale decides by itself what runs; leave --force and --limit out."
        )
    choice = request.choose_task()
    chosen = request.choose_batches(choice, register_batch_file)
    with open_console(is_quiet=request.as_json) as console:
        console.show_changes(choice.task.changes)
        runs = BatchRuns(choice=choice, console=console)
        if stale:
            _refresh_batches(choice, chosen, runs)
        else:
            _run_batches(choice, chosen, runs, choice_of_run=request.run_choice)
    if request.as_json:
        changes = build_changes_record(choice.task.changes)
        record = {"task": choice.task.name, **changes, "batches": runs.records}
        click.echo(json.dumps(record, ensure_ascii=False))
    sys.exit(runs.exit_code)


def _run_batches(
    choice: TaskChoice, batches: Sequence[Batch], runs: BatchRuns, *, choice_of_run: RunChoice
) -> None:
    with _open_runner(choice, runs.console) as runner:
        if _prepare(runner, batches, runs):
            keys = [batch.key for batch in batches]
            runs.run_all(keys, lambda key: runner.run_batch(key, choice_of_run))
            runner.refresh_overview()


def _refresh_batches(choice: TaskChoice, batches: Sequence[Batch], runs: BatchRuns) -> None:
    """Bring up to date what is not, and touch nothing else."""
    with _open_runner(choice, runs.console) as runner:
        if _prepare(runner, batches, runs):
            status = runner.read_status()
            found = {each.batch: each for each in status.batches}
            due = [key for batch in batches if found[key := batch.key].is_due]
            runs.console.show_due([found[key] for key in due], n_batches=len(batches))
            runs.run_all(due, runner.refresh_batch)
            runner.refresh_overview(None if due else status)


def _prepare(runner: "TaskRunner", batches: Sequence[Batch], runs: BatchRuns) -> bool:
    """Make the batches known and what they share; whether they can run."""
    runner.register(batches)
    end = runner.ensure_schema()
    if end.problem is not None:
        runs.note_problem([batch.key for batch in batches], end)
    return end.problem is None


@contextmanager
def _open_runner(choice: TaskChoice, console: Console) -> "Generator[TaskRunner]":
    """A runner that tells at its end what a UI that is open shows."""
    with open_runner(choice, [console]) as runner:
        yield runner
        note = runner.reload_shown_code()
    if note is not None:
        console.show_note(note)
