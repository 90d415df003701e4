"""`llm-assets review`: hand a batch's waiting items to people, and take back what they decided."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import JsonValue

from llm_assets.cli.task_choice import TaskChoice, choose_task, open_runner
from llm_assets.core.gate import Route
from llm_assets.core.ids import BatchKey
from llm_assets.core.number_words import render_count
from llm_assets.core.review_queue import WAITING
from llm_assets.errors import InputError
from llm_assets.gateways.clock import SystemClock
from llm_assets.gateways.review_export import export_review
from llm_assets.gateways.reviewing import TakenReview
from llm_assets.gateways.reviews import RefusedReview, take_review
from llm_assets.gateways.stored_stages import find_stored_batch, list_stored_batches

if TYPE_CHECKING:
    from llm_assets.defs.run_ends import RunEnd  # imports Dagster, which takes long


@click.group()
def review() -> None:
    """Let people decide on what waits below the gate."""


@review.command("export")
@click.argument("task")
@click.option(
    "--batch", "batches", multiple=True, help="A batch by its key; all that have run by default."
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder for the workbooks, `<batch>.review.xlsx`; this one by default.",
)
@click.option("--reviewer", default="", help="Fill in this name as who decides.")
@click.option("--with-failed", is_flag=True, help="Also items without an accepted output.")
@click.option("--with-decided", is_flag=True, help="Also published ones, and those turned down.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def export_workbooks(
    task: str,
    batches: tuple[str, ...],
    *,
    folder: Path,
    reviewer: str,
    with_failed: bool,
    with_decided: bool,
    as_json: bool,
) -> None:
    """Write what waits in batches of TASK into workbooks: one row an item, to be approved, edited or rejected."""
    choice = choose_task(task, config=None)
    failed: tuple[Route, ...] = ("failed",) if with_failed else ()
    decided: tuple[Route, ...] = ("published", "turned_down") if with_decided else ()
    routes = (*WAITING, *failed, *decided)
    records: list[JsonValue] = []
    for batch in dict.fromkeys(batches) or list_stored_batches(choice.task, choice.project):
        stages = find_stored_batch(choice.task, choice.project, batch)
        path = folder / f"{stages.batch}.review.xlsx"
        n_items = export_review(stages, path, routes=routes, reviewer=reviewer)
        records.append({"batch": stages.batch, "items": n_items, "path": str(path)})
        if not as_json:
            click.echo(f"{stages.batch}: {render_count(n_items, 'item')} in {path}")
    if as_json:
        record = {"task": choice.task.name, "reviews": records}
        click.echo(json.dumps(record, ensure_ascii=False))
        return
    click.echo(
        "Fill in `decision` and `reviewer`, save, and hand the file to "
        f"`llm-assets review import {choice.task.name} FILE`."
    )


@review.command("import")
@click.argument("task")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reviewer", default="", help="Who decided, where a row does not say.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def import_workbook(task: str, files: tuple[Path, ...], *, reviewer: str, as_json: bool) -> None:
    """Take in the decisions in filled workbooks of TASK, and publish by them; each workbook wholly or not at all."""
    choice = choose_task(task, config=None)
    reviews = [_take(choice, path, reviewer=reviewer) for path in files]
    ends = _apply(choice, reviews)
    if as_json:
        record = {
            "task": choice.task.name,
            "reviews": [_build_record(each, ends) for each in reviews],
        }
        click.echo(json.dumps(record, ensure_ascii=False))
    else:
        for each in reviews:
            _print(choice, each, ends)
    codes = [end.exit_code for end in ends.values()]
    is_refused = any(isinstance(each, RefusedReview) for each in reviews)
    sys.exit(max([*codes, InputError.exit_code if is_refused else 0]))


def _take(choice: TaskChoice, path: Path, *, reviewer: str) -> TakenReview | RefusedReview:
    """Keep the decisions of one workbook; what is wrong with it is told, and keeps no other one out."""
    try:
        return take_review(
            choice.task, choice.project, path, clock=SystemClock(), reviewer=reviewer
        )
    except InputError as exc:
        click.echo(f"Error: {exc}", err=True)
        return RefusedReview(file=path.name, problem=str(exc))


def _apply(
    choice: TaskChoice, reviews: Sequence[TakenReview | RefusedReview]
) -> "Mapping[BatchKey, RunEnd]":
    """Sort each batch once, when all decisions are kept: a later one would leave it stale."""
    batches = dict.fromkeys(each.batch for each in reviews if isinstance(each, TakenReview))
    if not batches:
        return {}
    with open_runner(choice) as runner:
        ends = {batch: runner.apply_review(batch) for batch in batches}
        runner.refresh_overview()
        return ends


def _print(
    choice: TaskChoice, taken: TakenReview | RefusedReview, ends: "Mapping[BatchKey, RunEnd]"
) -> None:
    if isinstance(taken, RefusedReview):
        return
    if taken.taken_in_at is not None:
        click.echo(
            f"{taken.file} was taken in on {taken.taken_in_at.date()} already; nothing was added."
        )
    else:
        counts = ", ".join(f"{count} {decision}" for decision, count in taken.decisions.items())
        known = f" ({taken.n_known} stood so already)" if taken.n_known else ""
        click.echo(f"{taken.file}: {counts}{known}; {taken.n_open} still open.")
    problem = ends[taken.batch].problem
    if problem is not None:
        click.echo(
            f"The decisions are kept, but the batch {taken.batch} could not be sorted by them: {problem} "
            f"`llm-assets run {choice.task.name} --stale` does it later.",
            err=True,
        )


def _build_record(
    taken: TakenReview | RefusedReview, ends: "Mapping[BatchKey, RunEnd]"
) -> JsonValue:
    if isinstance(taken, RefusedReview):
        return {"file": taken.file, "error": taken.problem}
    end = ends[taken.batch]
    decisions: dict[str, JsonValue] = {**taken.decisions}
    return {
        "file": taken.file,
        "batch": taken.batch,
        "decisions": decisions,
        "added": taken.n_added,
        "known": taken.n_known,
        "open": taken.n_open,
        "taken_in_at": taken.taken_in_at and taken.taken_in_at.isoformat(),
        "stages": [*end.stages],
        "problem": end.problem,
    }
