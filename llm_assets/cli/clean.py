"""`llm-assets clean`: put a stage and what is made from it away, so that it is made from scratch."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from pydantic import JsonValue

from llm_assets.cli.task_choice import choose_task, takes_config
from llm_assets.core.cleaning import Cleaning, render_cleaning

MAX_LINES = 20


@click.command()
@click.argument("task", required=False)
@takes_config
@click.option(
    "--from", "first", metavar="STAGE", required=True, help="The first stage to put away."
)
@click.option(
    "--batch", "batches", multiple=True, help="A batch by its key; all of them by default."
)
@click.option("--dry-run", is_flag=True, help="List what would be put away, and change nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def clean(
    task: str | None,
    config: Path | None,
    *,
    first: str,
    batches: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Put a stage of TASK and everything made from it into data/archive, to be made from scratch.

    With --batch only what these batches have of their own. The ledger stays, so a run afterwards sends no call that
    was answered; tables, prompts, configs and the schema module are never touched.
    """
    from llm_assets.defs.abandoned_runs import end_abandoned_runs
    from llm_assets.defs.cleaning import build_task_cleaner
    from llm_assets.defs.history import open_history
    from llm_assets.defs.project_definitions import build_scope

    choice = choose_task(task, config=config)
    scope = build_scope(choice.project, choice.task, observers=())
    with open_history(choice.project) as history:
        end_abandoned_runs(history)
        cleaner = build_task_cleaner(scope, history)
        cleaning = cleaner.plan(first, batches)
        is_wanted = bool(cleaning.files) and not dry_run
        if is_wanted and not yes:
            is_wanted = _ask(cleaning)
        archives = cleaner.clean(cleaning) if is_wanted else ()
    if as_json:
        record = _build_record(cleaning, archives, is_done=is_wanted)
        click.echo(json.dumps(record, ensure_ascii=False))
        return
    for line in _render(cleaning, archives, is_done=is_wanted, lists_files=dry_run):
        click.echo(line)


def _ask(cleaning: Cleaning) -> bool:
    if not sys.stdin.isatty():
        what = "Nobody can be asked here; say --yes to put away what --dry-run lists."
        raise click.UsageError(what)
    lines = render_cleaning(cleaning)
    for line in lines[:MAX_LINES]:
        click.echo(line, err=True)
    if len(lines) > MAX_LINES:
        click.echo(f"and {len(lines) - MAX_LINES} more", err=True)
    return click.confirm(f"Put these away ({cleaning.n_files} files)?", err=True)


def _render(
    cleaning: Cleaning, archives: Sequence[str], *, is_done: bool, lists_files: bool
) -> list[str]:
    if not cleaning.files:
        return ["There is nothing to put away."]
    lines = [*render_cleaning(cleaning)]
    if lists_files:
        lines += [f"  {path}" for paths in cleaning.files.values() for path in paths]
    if not is_done:
        return [*lines, f"{cleaning.n_files} files; nothing was changed."]
    where = f" into {', '.join(archives)}" if archives else ""
    done = f"Put {cleaning.n_files} files away{where}."
    command = f"`llm-assets run {cleaning.task} --stale`"
    return [*lines, f"{done} {command} makes them anew; answered calls are not paid again."]


def _build_record(
    cleaning: Cleaning, archives: Sequence[str], *, is_done: bool
) -> dict[str, JsonValue]:
    return {**cleaning.build_record(), "is_done": is_done, "archives": [*archives]}
