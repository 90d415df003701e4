"""`llm-assets search`: the published records that are most like a few words."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from llm_assets.cli.task_choice import choose_task
from llm_assets.core.shown_text import show_line
from llm_assets.gateways.clock import SystemClock
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.search import search_records

if TYPE_CHECKING:
    from llm_assets.gateways.vector_store import Neighbour

MAX_TEXT_CHARS = 200


@click.command()
@click.argument("task")
@click.argument("words")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="At most so many records.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object for each record, line by line."
)
def search(task: str, words: str, *, limit: int, as_json: bool) -> None:
    """Find TASK's published records that are most like WORDS, the nearest first.

    The score is the cosine between the vectors of the record and of the words: 1 for the same direction, about 0 for
    texts that have nothing in common. The words are embedded by the task's own model, and paid for once.
    """
    choice = choose_task(task, config=None)
    found = search_records(
        choice.task, choice.project, words, limit=limit, clock=SystemClock(), observer=_Warner()
    )
    (_print_json if as_json else _print_lines)(found)


class _Warner(Observer):
    """Tells of a budget that is nearly spent."""

    def show_warning(self, text: str, /) -> None:
        click.echo(text, err=True)


def _print_json(found: Sequence["Neighbour"]) -> None:
    for each in found:
        record = {
            "score": each.score,
            "batch": each.batch,
            "record_id": each.record_id,
            "text": each.text,
            **json.loads(each.payload),
        }
        click.echo(json.dumps(record, ensure_ascii=False))


def _print_lines(found: Sequence["Neighbour"]) -> None:
    for each in found:
        text = show_line(each.text, max_chars=MAX_TEXT_CHARS)
        click.echo(f"{each.score:.3f}\t{each.batch}\t{each.record_id}\t{text}")
