"""How a batch's work items become its outputs, from the prompt file to the record of the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upath import UPath

from llm_assets.core.cache_saving import compute_cache_saving
from llm_assets.core.calls import Purpose
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import (
    TEXT_LEVEL,
    HookRecord,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    build_totals,
)
from llm_assets.core.plan import Plan
from llm_assets.core.plan_cost import Price
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.run_origin import RunOrigin, select_output_changes
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.schema_record import SchemaText
from llm_assets.core.step import Step
from llm_assets.core.steps import decide_level
from llm_assets.core.work_items import WorkItems
from llm_assets.errors import StorageError
from llm_assets.gateways.artifacts import write_model
from llm_assets.gateways.caller import RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.git_state import read_git_state
from llm_assets.gateways.image_content import load_no_image
from llm_assets.gateways.image_files import open_image_files
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.llm_run import LLMRun, Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_modules import SchemaModule
from llm_assets.gateways.task_schemas import load_recorded_schema
from llm_assets.gateways.task_steps import build_connections, build_task_step, check_task_budget
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The outputs of a batch, and what making them was to take and took this time."""

    outputs: LLMOutputs
    plan: Plan
    summary: RunSummary
    prompt_names: frozenset[str]
    """The names of an item that the prompts use, the judge's included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """Which batch is to be answered, in whose name, and how much of it."""

    batch: BatchKey
    run_id: str
    choice: RunChoice


def generate_outputs(
    task: Task,
    project: Project,
    request: GenerationRequest,
    *,
    items: WorkItems,
    contexts: GroupContexts,
    schema_text: SchemaText,
    observer: Observer,
    clock: Clock,
) -> Generation:
    """Ask for what is not on record, and put every item's end together in item order.

    The account of the run is kept beside the outputs, as `<batch>.run.json`: it tells what this run did, so it is
    the one file that differs when the same batch is run again.
    """
    origin = build_origin(task, project)
    module = load_recorded_schema(task, project, source_sha256=schema_text.source_sha256)
    connections = build_connections(task, project)
    step = build_task_step(
        task,
        project,
        module=module,
        connections=connections,
        schema_text=schema_text.text,
        columns=items.meta.columns,
    )
    check_task_budget(task, step, connections)
    files = open_image_files(task)
    identity = RunIdentity(task=task.name, batch=request.batch, run_id=request.run_id)
    with open_ledger(project.ledger_url) as ledger:
        run = LLMRun(
            step=step,
            identity=identity,
            connections=connections,
            limits=task.settings.limits,
            budget=task.settings.budget,
            ledger=ledger,
            clock=clock,
            observer=observer,
            load_image=load_no_image if files is None else files.load,
        )
        result = run.finish_batch(build_items(items, contexts), request.choice)
    summary = result.summary.model_copy(update={"origin": origin})
    write_model(find_run_record(task, project, request.batch), summary)
    prices: dict[Purpose, Price] = {
        purpose: connection.compute_cost for purpose, connection in connections.items()
    }
    meta = build_outputs_meta(
        task, step, module, records=result.outputs, prices=prices, origin=origin
    )
    outputs = LLMOutputs(meta=meta, records=result.outputs)
    return Generation(
        outputs=outputs,
        plan=result.plan,
        summary=summary,
        prompt_names=_list_prompt_names(step),
    )


def build_items(items: WorkItems, contexts: GroupContexts) -> tuple[Item, ...]:
    """The work items with the text of their group beside them.

    `StorageError` where a context is missing: contexts and items were made at different times.
    """
    texts = {context.group_context_id: context.text for context in contexts.records}
    wanted = {work.group_context_id for work in items.records} - {None}
    if not wanted <= texts.keys():
        raise StorageError(
            "The stored work items name group contexts that the stored group contexts do not hold.",
            remedy="Materialize `group_contexts` and `work_items` again, in this order.",
        )
    return tuple(
        Item(
            work=work,
            group_context=None if work.group_context_id is None else texts[work.group_context_id],
            epoch=0,
        )
        for work in items.records
    )


def find_run_record(task: Task, project: Project, batch: BatchKey) -> UPath:
    """Where the account of a batch's latest run lies."""
    return project.artifacts / task.name / "llm_outputs" / f"{batch}.run.json"


def _list_prompt_names(step: Step) -> frozenset[str]:
    own = step.prompt.names
    return own if step.judge is None else own | step.judge.prompt.names


def build_origin(task: Task, project: Project) -> RunOrigin:
    """With what settings outputs are made, and at which state of the project's files."""
    return RunOrigin(
        settings=task.settings.model_dump(mode="json", by_alias=True),
        changes=task.changes,
        git=read_git_state(project.root),
    )


def build_outputs_meta(
    task: Task,
    step: Step,
    module: SchemaModule,
    *,
    records: Sequence[ItemOutput],
    prices: Mapping[Purpose, Price],
    origin: RunOrigin,
) -> LLMOutputsMeta:
    """What the outputs were made with, and their sums."""
    llm, judge = task.settings.llm, step.judge
    return LLMOutputsMeta(
        endpoint=llm.endpoint,
        model=llm.model,
        is_rehearsal=task.endpoint.is_offline,
        prompt_path=step.prompt.path,
        prompt_sha256=step.prompt.sha256,
        schema_sha256=step.schema_sha256,
        judge_model=judge.settings.model if judge else None,
        judge_prompt_sha256=judge.prompt.sha256 if judge else None,
        judge_prompt_path=judge.prompt.path if judge else None,
        judge_endpoint=task.settings.judge_llm.endpoint if judge else None,
        is_judge_rehearsal=judge is not None and task.judge_endpoint.is_offline,
        structured_output=TEXT_LEVEL
        if step.text_form is not None
        else decide_level(llm, task.endpoint, module.output_model),
        parameters=dict(step.settings.parameters),
        hooks=tuple(
            HookRecord(kind=hook.kind, name=hook.name, source_sha256=hook.source_sha256)
            for hook in (step.hooks.all if step.hooks else ())
        ),
        totals=build_totals(records),
        changes=select_output_changes(origin.changes),
        git=origin.git,
        cache_saving_usd=compute_cache_saving(records, prices),
    )
