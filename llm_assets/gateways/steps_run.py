"""How a batch's work items go through steps, from the prompt files to the record of the run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from upath import UPath

from llm_assets.core.chain import Ends
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import BatchKey, StepName
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs
from llm_assets.core.plan import Plan
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.schema_record import SchemaText
from llm_assets.core.work_items import WorkItems
from llm_assets.errors import StorageError
from llm_assets.gateways.artifacts import load_records, write_model
from llm_assets.gateways.caller import RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.export_foresight import check_stored_batch_ends
from llm_assets.gateways.image_content import load_no_image
from llm_assets.gateways.image_files import open_image_files
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.llm_run import LLMRun, Observer
from llm_assets.gateways.outputs_meta import build_outputs_meta, build_run_origin
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_texts import build_step_texts
from llm_assets.gateways.task_schemas import StepSchemas, load_recorded_schemas
from llm_assets.gateways.task_steps import ConnectedStep, build_task_steps
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsGeneration:
    """The outputs of a batch in each of some steps, and what making them was to take and took this time."""

    outputs: Mapping[StepName | None, LLMOutputs]
    """In the order in which the steps run; of a task that names none, its only one under None."""
    plan: Plan
    summary: RunSummary
    prompt_names: Mapping[StepName | None, frozenset[str]]
    """The names that the prompts of each step use, the judge's included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """Which batch is to be answered, in whose name, and how much of it."""

    batch: BatchKey
    run_id: str
    choice: RunChoice


def generate_steps(
    task: Task,
    project: Project,
    request: GenerationRequest,
    *,
    selected: Collection[StepName | None],
    items: WorkItems,
    contexts: GroupContexts,
    schema_text: SchemaText,
    observer: Observer,
    clock: Clock,
) -> StepsGeneration:
    """Ask in the selected steps for what is not on record; the stored outputs of the steps before stand for them.

    The account of the run is kept beside the outputs of the task, as `<batch>.run.json`: it tells what this run did,
    so it is the one file that differs when the same batch is run again. `StorageError` where the outputs of an
    earlier step are missing, or belong to other items.
    """
    origin = build_run_origin(task, project)
    schemas = load_recorded_schemas(task, project, source_sha256=schema_text.source_sha256)
    check_stored_batch_ends(task, project, request.batch, schemas=schemas)
    connected = _build_steps(
        task, project, schemas=schemas, schema_text=schema_text, columns=items.meta.columns
    )
    chosen = [each for each in connected if each.step.name in selected]
    given = _load_given(task, project, request.batch, steps=chosen, items=items)
    files = open_image_files(task)
    with open_ledger(project.ledger_url) as ledger:
        run = LLMRun(
            steps=chosen,
            identity=RunIdentity(task=task.name, batch=request.batch, run_id=request.run_id),
            limits=task.settings.limits,
            budget=task.settings.budget,
            ledger=ledger,
            clock=clock,
            observer=observer,
            load_image=load_no_image if files is None else files.load,
        )
        result = run.finish_batch(build_items(items, contexts), request.choice, given=given)
    summary = result.summary.model_copy(update={"origin": origin})
    write_model(find_run_record(task, project, request.batch), summary)
    return StepsGeneration(
        outputs={
            each.step.name: LLMOutputs(
                meta=build_outputs_meta(task, each, records=records, origin=origin), records=records
            )
            for each, records in zip(chosen, result.by_step, strict=True)
        },
        plan=result.plan,
        summary=summary,
        prompt_names={each.step.name: each.step.prompt_names for each in chosen},
    )


def _build_steps(
    task: Task,
    project: Project,
    *,
    schemas: StepSchemas,
    schema_text: SchemaText,
    columns: tuple[str, ...],
) -> tuple[ConnectedStep, ...]:
    texts = build_step_texts(task, schemas)
    if not task.has_chain:
        texts[None] = schema_text.text
    return build_task_steps(task, project, schemas=schemas, texts=texts, columns=columns)


def _load_given(
    task: Task,
    project: Project,
    batch: BatchKey,
    *,
    steps: Sequence[ConnectedStep],
    items: WorkItems,
) -> list[Ends]:
    """For each item, what became of it in the steps that these ones need and that do not run with them."""
    running = {each.step.name for each in steps}
    needed = [name for name in task.step_names if name not in running]
    needed = [name for name in needed if any(name in each.step.upstream for each in steps)]
    ids = [work.work_id for work in items.records]
    ends: list[dict[StepName, ItemOutput]] = [{} for _ in ids]
    for name in needed:
        records = load_step_outputs(task, project, batch, name).records
        if [record.work_id for record in records] != ids:
            raise StorageError(
                f"The stored outputs of `{task.name}/{name}` belong to other items than the stored work items.",
                remedy=f"Materialize `{task.name}/{name}` again, or all steps together; answered calls cost nothing.",
            )
        for known, record in zip(ends, records, strict=True):
            known[name] = record
    return list(ends) if needed else []


def load_step_outputs(task: Task, project: Project, batch: BatchKey, step: StepName) -> LLMOutputs:
    """What a step made of a batch; `StorageError` where it has not run."""
    path = project.artifacts / task.name / step / f"{batch}.jsonl"
    return load_records(path, LLMOutputs, shown=f"{task.name}/{step}/{batch}.jsonl")


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
