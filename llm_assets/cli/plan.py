"""`llm-assets plan`: what a run would do and cost, without doing it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

import click
from pydantic import JsonValue

from llm_assets.cli.plan_views import print_calls, print_changes, print_plans
from llm_assets.cli.task_choice import TaskChoice
from llm_assets.cli.task_options import TaskRequest, takes_task
from llm_assets.core.calls import Message
from llm_assets.core.ids import BatchKey
from llm_assets.core.message_tokens import count_message_tokens
from llm_assets.core.plan import Plan
from llm_assets.core.plan_text import build_plan_record
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.setting_changes import build_changes_record
from llm_assets.gateways.batches import Batch, find_batch_file
from llm_assets.gateways.foresight import NextCall, UnknownCall, open_foresight


@click.command()
@takes_task(
    input_help="A table anywhere; it is planned as the batch that its stem names.",
    force_help="As if everything were asked anew.",
    json_help="Print one JSON object instead.",
)
@click.option(
    "--prompt",
    "row",
    metavar="ROW",
    help="Show the messages of one row as they would be sent: by its number below the header, or its work id.",
)
def plan(request: TaskRequest, *, row: str | None) -> None:
    """Say what a run of TASK would send and cost, and why; nothing is sent and nothing is written.

    Items are counted by why they run: new, row, group, prompt, schema, model or parameters changed, judge changed,
    failed before, forced. The cost is what is likely, with bounds, going by the answers on record.
    """
    choice = request.choose_task()
    chosen = request.choose_batches(choice, find_batch_file)
    run_choice, as_json = request.run_choice, request.as_json
    if row is not None:
        _show_prompt(choice, chosen, run_choice, row=row, as_json=as_json)
        return
    with open_foresight(choice.task, choice.project) as foresight:
        plans = [(batch.key, foresight.plan_run(batch, run_choice)) for batch in chosen]
    if as_json:
        click.echo(json.dumps(_build_record(choice, plans), ensure_ascii=False))
    else:
        print_changes(choice.task.changes)
        print_plans(choice.task.name, plans, is_terminal=sys.stdout.isatty())


def _show_prompt(
    choice: TaskChoice, batches: Sequence[Batch], run_choice: RunChoice, *, row: str, as_json: bool
) -> None:
    if len(batches) > 1:
        raise click.UsageError("A row is one of a batch: name it with --batch.")
    (batch,) = batches
    with open_foresight(choice.task, choice.project) as foresight:
        calls = foresight.find_next_calls(batch, run_choice, row=row)
    if as_json:
        records: list[JsonValue] = [_build_call_record(call) for call in calls]
        shown = {"steps": records} if choice.task.has_chain else records[0]
        record = {"task": choice.task.name, "batch": batch.key} | cast(
            "dict[str, JsonValue]", shown
        )
        click.echo(json.dumps(record, ensure_ascii=False))
    else:
        print_calls(calls, task=choice.task.name, batch=batch.key)


def _build_record(
    choice: TaskChoice, plans: Sequence[tuple[BatchKey, Plan]]
) -> dict[str, JsonValue]:
    batches = [{"batch": key, **build_plan_record(plan)} for key, plan in plans]
    changes = build_changes_record(choice.task.changes)
    return {"task": choice.task.name, **changes, "batches": list[JsonValue](batches)}


def _build_call_record(call: NextCall | UnknownCall) -> dict[str, JsonValue]:
    step: dict[str, JsonValue] = {} if call.step is None else {"step": call.step}
    if isinstance(call, UnknownCall):
        return {**step, "unknown_because": call.reason}
    request = call.request
    messages: list[JsonValue] = [
        {
            "role": message.role,
            "content": message.content,
            **_build_images_record(message),
            "tokens": count_message_tokens(message, call.counter.count),
        }
        for message in request.messages
    ]
    return {
        **step,
        "work_id": call.item.work.work_id,
        "row_ids": list(call.item.work.row_ids),
        "is_due": call.is_due,
        "purpose": call.purpose,
        "attempt": request.attempt,
        "call_key": request.build_key(),
        "model": request.settings.model,
        "max_output_tokens": request.max_output_tokens,
        "messages": messages,
        "tokens_are_approximate": call.is_approximate,
    }


def _build_images_record(message: Message) -> dict[str, JsonValue]:
    """The pictures of a message; nothing where it has none."""
    images: list[JsonValue] = [
        {
            "source": image.source,
            "detail": image.detail,
            **(asdict(image.file) if image.file else {}),
        }
        for image in message.images
    ]
    return {"images": images} if images else {}
