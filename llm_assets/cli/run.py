"""`llm-assets run`: bring a task's batches to their exports and reports."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from pydantic import JsonValue

from llm_assets.cli.console import Console, open_console
from llm_assets.cli.results import load_batch_result
from llm_assets.cli.task_choice import TaskChoice, choose_task
from llm_assets.core.run_choice import RunChoice
from llm_assets.errors import ProviderError
from llm_assets.gateways.batches import (
    Batch,
    build_no_batches_error,
    find_batch,
    list_batches,
    register_batch_file,
)


@click.command()
@click.argument("task", required=False)
@click.option(
    "--config", type=click.Path(path_type=Path), help="A task file outside of the project."
)
@click.option(
    "--batch", "batches", multiple=True, help="A batch by its key; all of them by default."
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A table anywhere; it becomes a batch named by its stem.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Only the first so many items that are due."
)
@click.option(
    "--force", is_flag=True, help="Ask anew, also where there are answers. This is paid again."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def run(
    task: str | None,
    config: Path | None,
    *,
    batches: tuple[str, ...],
    inputs: tuple[Path, ...],
    limit: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run TASK: read its tables, ask the model what is not on record, write exports and reports.

    Answered calls are never sent again: a second run of the same batch sends none.
    """
    choice = choose_task(task, config=config)
    chosen = _choose_batches(choice, keys=batches, inputs=inputs)
    choice_of_run = RunChoice(limit=limit, is_forced=force)
    with open_console(is_quiet=as_json) as console:
        exit_code = _run_batches(
            choice, chosen, console, choice_of_run=choice_of_run, as_json=as_json
        )
    sys.exit(exit_code)


def _choose_batches(
    choice: TaskChoice, *, keys: Sequence[str], inputs: Sequence[Path]
) -> tuple[Batch, ...]:
    task, project = choice.task, choice.project
    chosen = [register_batch_file(path, task=task, project=project) for path in inputs]
    chosen += [find_batch(task, project, key) for key in keys]
    if not inputs and not keys:
        chosen = list(list_batches(task, project))
    if not chosen:
        raise build_no_batches_error(task, project)
    return tuple({batch.key: batch for batch in chosen}.values())


def _run_batches(
    choice: TaskChoice,
    batches: Sequence[Batch],
    console: Console,
    *,
    choice_of_run: RunChoice,
    as_json: bool,
) -> int:
    """Run one batch after the other; a batch that stops does not keep the next one from running."""
    from llm_assets.defs.history import open_history
    from llm_assets.defs.project_definitions import build_scope
    from llm_assets.defs.runs import open_task_runner

    task, project = choice.task, choice.project
    scope = build_scope(project, task, observers=[console])
    records: list[dict[str, JsonValue]] = []
    codes = [0]
    with open_history(project) as history, open_task_runner(scope, history) as runner:
        runner.register(batches)
        end = runner.ensure_schema()
        if end.problem is not None:
            console.show_problem(end.problem)
            records += [{"batch": batch.key, "error": end.problem} for batch in batches]
            codes.append(end.exit_code)
        for batch in batches if end.problem is None else ():
            console.begin_batch(task.name, batch.key)
            end = runner.run_batch(batch.key, choice_of_run)
            if end.problem is None:
                result = load_batch_result(task, project, batch.key)
                console.show_result(result)
                records.append(result.build_json())
                codes.append(result.exit_code)
                continue
            console.show_problem(end.problem)
            records.append({"batch": batch.key, "error": end.problem})
            codes.append(end.exit_code)
            if end.exit_code == ProviderError.exit_code:
                break  # the next batch would meet the same endpoint
    if as_json:
        click.echo(json.dumps({"task": task.name, "batches": records}, ensure_ascii=False))
    return max(codes)
