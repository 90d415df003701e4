"""What a plan and a call look like to a person."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.images import render_image
from llm_assets.core.message_tokens import count_message_tokens
from llm_assets.core.plan import Plan
from llm_assets.core.plan_text import (
    EXPECTED_NOTE,
    list_caveats,
    render_calls,
    render_cost_range,
    render_needless,
    render_plan,
    render_reason,
    render_token_range,
)
from llm_assets.core.setting_changes import SettingChange, render_setting_change
from llm_assets.gateways.foresight import NextCall, UnknownCall

if TYPE_CHECKING:
    from rich.table import Table


def print_changes(changes: Sequence[SettingChange]) -> None:
    """A line for each setting that is not as in the file."""
    for change in changes:
        click.echo(f"set: {render_setting_change(change)}", err=True)


def print_plans(
    task: TaskName, plans: Sequence[tuple[BatchKey, Plan]], *, is_terminal: bool
) -> None:
    """A table for people who watch, a line for each batch for everything else."""
    warnings = dict.fromkeys(text for _, plan in plans for text in plan.warnings)
    if not is_terminal:
        for batch, plan in plans:
            click.echo(f"{task} / {batch}: {render_plan(plan)}")
        _print_warnings(warnings)
        return
    from rich.console import Console

    Console().print(build_plan_table(task, plans))
    caveats = dict.fromkeys(text for _, plan in plans for text in list_caveats(plan.estimate))
    if any(plan.calls.n_expected for _, plan in plans):
        caveats[EXPECTED_NOTE] = None
    if caveats:
        click.echo(f"Note: {', '.join(caveats)}.")
    _print_warnings(warnings)
    click.echo("Nothing was sent.")


def _print_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def build_plan_table(task: TaskName, plans: Sequence[tuple[BatchKey, Plan]]) -> "Table":
    """A row for each batch; the reasons stand below one another."""
    from rich.table import Table

    table = Table("batch", "items", "to run", "why", "calls", "tokens", "cost", title=task)
    for batch, plan in plans:
        why = [f"{count} {render_reason(reason)}" for reason, count in plan.reasons]
        left_out = [f"({plan.n_left_out} beyond the limit)"] if plan.n_left_out else []
        at_end = ", ".join(filter(None, [f"{plan.n_answered} answered", render_needless(plan)]))
        table.add_row(
            batch,
            f"{plan.n_items} ({at_end})",
            str(plan.n_to_run),
            "\n".join([*why, *left_out])
            or ("nothing to ask" if plan.n_without_call else "all answered"),
            render_calls(plan),
            render_token_range(plan.estimate) if plan.n_to_run else "0",
            render_cost_range(plan.estimate.cost_usd),
        )
    return table


def print_calls(
    calls: Sequence[NextCall | UnknownCall], *, task: TaskName, batch: BatchKey
) -> None:
    """The call of each step, one below the other; of a step that is still to come, why it is not known."""
    for number, call in enumerate(calls):
        if number:
            click.echo()
        if call.step is not None:
            click.echo(f"=== {call.step} ===")
        if isinstance(call, NextCall):
            print_call(call, task=task, batch=batch)
        else:
            click.echo(f"Not known. {call.reason}")


def print_call(call: NextCall, *, task: TaskName, batch: BatchKey) -> None:
    """Every message to the letter, each below a line with its role and its tokens."""
    request, work = call.request, call.item.work
    state = "would be sent" if call.is_due else "has been sent; the item is at its end"
    click.echo(
        f"{task} / {batch}, work item {work.work_id} (row {work.row_ids[0]}): "
        f"{call.purpose} call, attempt {request.attempt}, {state}."
    )
    counts = [count_message_tokens(message, call.counter.count) for message in request.messages]
    about = "about " if call.is_approximate else ""
    for message, n_tokens in zip(request.messages, counts, strict=True):
        click.echo(f"\n--- {message.role} ({about}{n_tokens:,} tokens) ---")
        click.echo(message.content)
        for image in message.images:
            click.echo(f"[picture {render_image(image)}]")
    click.echo(f"\n--- {about}{sum(counts):,} tokens for {request.settings.model} ---")
