"""How a task gets its schema module where there is none: a model proposes it as data, the project prints it."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import assert_never

from llm_assets.config.task import SchemaGenerationSettings
from llm_assets.core.budget import OverBudget
from llm_assets.core.calls import Answer, CallOrigin, CallRequest, Fault, Message, Unsendable
from llm_assets.core.concurrency import build_concurrency
from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import BatchKey, RowId, WorkId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.prompts import render_free_prompt
from llm_assets.core.rate_limit import RateLimit
from llm_assets.core.schema_answer import parse_proposed_schema
from llm_assets.core.schema_source import render_schema_source
from llm_assets.core.steps import build_call_settings
from llm_assets.errors import BudgetError, ConfigError, ProviderError
from llm_assets.gateways.batches import build_no_batches_error, list_batches
from llm_assets.gateways.budget import NoBudget
from llm_assets.gateways.caller import Call, Caller, CallResult, Progress, Route, RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.connections import Connection, build_connection
from llm_assets.gateways.endpoint_client import open_endpoint_client
from llm_assets.gateways.gate import Gate
from llm_assets.gateways.ledger.ledger import Ledger, open_ledger
from llm_assets.gateways.project import Project
from llm_assets.gateways.prompt_files import load_prompt
from llm_assets.gateways.schema_modules import SchemaModule, write_schema_module
from llm_assets.gateways.snapshots import read_snapshot
from llm_assets.gateways.task_schemas import load_task_schema
from llm_assets.gateways.tasks import Task

SCHEMA_BATCH = BatchKey("schema")
"""What the ledger calls the batch of calls that are about no batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsuredSchema:
    """The task's schema module, and whether it was just made."""

    module: SchemaModule
    is_new: bool
    archived_path: Path | None
    """Where the module that stood there before lies now."""


def ensure_schema(task: Task, project: Project, *, run_id: str, clock: Clock) -> EnsuredSchema:
    """Load the module where it exists and is not forced; otherwise make it, the old one archived.

    `ConfigError` where it is missing and the task does not say how to make it.
    """
    settings = task.settings.schema_
    if task.schema_path.exists() and not settings.force:
        module = load_task_schema(task, project)
        return EnsuredSchema(module=module, is_new=False, archived_path=None)
    if settings.generate is None:
        raise ConfigError(
            f"The schema module {project.locate(task.schema_path)} of task {task.name!r} does not exist.",
            remedy="Write it, or describe what each output should hold under `schema.generate`.",
        )
    source = _propose_source(task, project, settings.generate, run_id=run_id, clock=clock)
    archived = write_schema_module(task.schema_path, source, archived_at=clock.get_now())
    module = load_task_schema(task, project)
    return EnsuredSchema(module=module, is_new=True, archived_path=archived)


def _propose_source(
    task: Task,
    project: Project,
    generate: SchemaGenerationSettings,
    *,
    run_id: str,
    clock: Clock,
) -> str:
    """The module of the model's proposal, printed; a good one on record is not asked for again.

    One on record that no module can be printed from is passed over, and the question is asked once more.
    """
    connection = build_connection(task.settings.llm, task.endpoint, project=project)
    identity = RunIdentity(task=task.name, batch=SCHEMA_BATCH, run_id=run_id)
    model_name = task.settings.schema_.output_model
    first = CallRequest(
        settings=build_call_settings(
            task.settings.llm,
            endpoint=task.endpoint,
            base_url=connection.base_url,
            output_model=None,
        ),
        messages=_render_question(task, project, generate),
        max_output_tokens=None,
        attempt=1,
        epoch=0,
        occurrence=0,
    )
    with open_ledger(project.ledger_url) as ledger:
        for attempt in count(1):
            call = _build_call(replace(first, attempt=attempt), generate)
            known = ledger.find_answers([call.key]).get(call.key)
            if known is None:
                asking = _ask(call, task, connection, ledger, identity=identity, clock=clock)
                return _print_source(asyncio.run(asking), model_name=model_name)
            with suppress(ConfigError):
                return _print_source(known, model_name=model_name)
    raise AssertionError("unreachable: the loop counts for ever")


def _build_call(request: CallRequest, generate: SchemaGenerationSettings) -> Call:
    return Call(
        key=request.build_key(),
        request=request,
        purpose="schema",
        origin=_build_origin(request, generate),
        shared_texts=(),
    )


def _print_source(answer: Answer, *, model_name: str) -> str:
    """`ConfigError` where the answer holds no schema, or one that no module can be printed from."""
    return render_schema_source(parse_proposed_schema(answer.text or ""), model_name=model_name)


def _build_origin(request: CallRequest, generate: SchemaGenerationSettings) -> CallOrigin:
    """No row and no schema yet: the description stands for both."""
    return CallOrigin(
        work_id=WorkId("schema"),
        row_id=RowId("schema"),
        group_context_id=None,
        prompt_sha256=fingerprint_text(generate.prompt),
        schema_sha256=fingerprint_text(generate.description),
        settings_sha256=request.settings.fingerprint,
    )


async def _ask(
    call: Call,
    task: Task,
    connection: Connection,
    ledger: Ledger,
    *,
    identity: RunIdentity,
    clock: Clock,
) -> Answer:
    limits = task.settings.limits
    progress = Progress(n_to_run=1)
    client = open_endpoint_client(connection, timeout_seconds=limits.timeout_seconds)
    async with client as endpoint:
        gate = Gate(
            concurrency=build_concurrency(ceiling=1, is_fixed=True),
            rate=RateLimit(requests_per_minute=None, tokens_per_minute=None),
            clock=clock,
            note_wait=progress.note_wait,
        )
        route = Route(
            name=connection.name, endpoint=endpoint, compute_cost=connection.compute_cost, gate=gate
        )
        with ledger.open_writer() as recorder:
            caller = Caller(
                identity=identity,
                routes={call.kind: route},
                recorder=recorder,
                limits=limits,
                clock=clock,
                progress=progress,
                budget=NoBudget(),
            )
            return _require_answer(await caller.find_answer(call), task)


def _require_answer(result: CallResult, task: Task) -> Answer:
    """`ProviderError` or `BudgetError` where there is none."""
    match result:
        case Answer():
            return result
        case Fault(kind=kind, message=message):
            raise ProviderError(
                f"No schema was proposed for task {task.name!r}: {message}",
                remedy="Run again, or write the schema module yourself.",
                kind=kind,
            )
        case OverBudget(reason=reason) | Unsendable(reason=reason):
            raise BudgetError(reason)
        case _:
            assert_never(result)


def _render_question(
    task: Task, project: Project, generate: SchemaGenerationSettings
) -> tuple[Message, ...]:
    """The prompt with the columns and first rows of the task's first batch."""
    snapshot = _load_first_batch(task, project)
    hidden = task.settings.expected.columns if task.settings.expected else ()
    columns = [name for name in snapshot.meta.columns if name not in hidden]
    rows = [
        {name: row.values[name] for name in columns}
        for row in snapshot.records[: generate.sample_rows]
    ]
    path = task.resolve(generate.prompt)
    shown = project.show(path)
    values: dict[str, object] = {
        "description": generate.description,
        "columns": columns,
        "sample_rows": json.dumps(rows, ensure_ascii=False, indent=2),
        "model_name": task.settings.schema_.output_model,
    }
    return render_free_prompt(load_prompt(path, shown=shown), values, path=shown)


def _load_first_batch(task: Task, project: Project) -> InputSnapshot:
    batches = list_batches(task, project)
    if not batches:
        raise build_no_batches_error(task, project)
    return read_snapshot(task, project, batches[0].path)
