"""`llm-assets run`: bring a task's batches to their exports and reports."""

import json
import sys
from collections.abc import Sequence

import click
from pydantic import JsonValue

from llm_assets.cli.console import Console, open_console
from llm_assets.cli.results import load_batch_result
from llm_assets.cli.task_choice import TaskChoice
from llm_assets.cli.task_options import TaskRequest, takes_task
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.setting_changes import build_changes_record
from llm_assets.errors import ProviderError
from llm_assets.gateways.batches import Batch, register_batch_file


@click.command()
@takes_task(
    input_help="A table anywhere; it becomes a batch named by its stem.",
    force_help="Ask anew, also where there are answers. This is paid again.",
    json_help="Print one JSON object instead of lines.",
)
def run(request: TaskRequest) -> None:
    """Run TASK: read its tables, ask the model what is not on record, write exports and reports.

    Answered calls are never sent again: a second run of the same batch sends none.
    """
    choice = request.choose_task()
    chosen = request.choose_batches(choice, register_batch_file)
    with open_console(is_quiet=request.as_json) as console:
        console.show_changes(choice.task.changes)
        exit_code = _run_batches(
            choice,
            chosen,
            console,
            choice_of_run=request.run_choice,
            as_json=request.as_json,
        )
    sys.exit(exit_code)


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
        record = {"task": task.name, **build_changes_record(task.changes), "batches": records}
        click.echo(json.dumps(record, ensure_ascii=False))
    return max(codes)
