"""`llm-assets compare`: what is different between two tasks, two batches, or two states of a task."""

import sys
from pathlib import Path

import click

from llm_assets.cli.compare_views import print_comparison
from llm_assets.core.comparison_markdown import render_comparison_markdown
from llm_assets.gateways.comparison_pages import render_comparison_html
from llm_assets.gateways.comparisons import choose_sides, compare_sides
from llm_assets.gateways.env_file import load_env_file
from llm_assets.gateways.project import load_project
from llm_assets.gateways.tables.whole_file import write_whole_text


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--batch", "batches", multiple=True, help="A batch by its key; all that both have by default."
)
@click.option(
    "--examples",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="How many items are shown for each field that differs.",
)
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it as Markdown.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it as a page for the browser.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def compare(
    a: str,
    b: str,
    *,
    batches: tuple[str, ...],
    examples: int,
    markdown: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Compare the outputs of A and B: items, outcomes, fields, scores and cost, pair by pair, with intervals.

    A and B are tasks with the same input, such as a task and a variant of it with another model. TASK@BATCH is one
    batch of a task. A folder, written with a slash, is an earlier state of the task on the other side: a copy of
    data/artifacts/TASK made before a run. Nothing is sent.

    A terminal gets tables, a file or a pipe gets Markdown.
    """
    if batches and ("@" in a or "@" in b):
        raise click.UsageError("TASK@BATCH names the batch already; leave --batch out.")
    project = load_project(Path.cwd())
    load_env_file(project.root)
    side_a, side_b = choose_sides(a, b, project)
    comparison = compare_sides(side_a, side_b, project, batches=batches, n_examples=examples)
    if markdown is not None:
        write_whole_text(markdown.absolute(), render_comparison_markdown(comparison))
    if html is not None:
        write_whole_text(html.absolute(), render_comparison_html(comparison))
    if as_json:
        click.echo(comparison.model_dump_json())
    elif sys.stdout.isatty():
        print_comparison(comparison)
    elif markdown is None and html is None:
        click.echo(render_comparison_markdown(comparison), nl=False)
