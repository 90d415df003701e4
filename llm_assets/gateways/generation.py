"""How a batch's work items become its outputs where a task is one step."""

from dataclasses import dataclass

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.plan import Plan
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.schema_record import SchemaText
from llm_assets.core.work_items import WorkItems
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.steps_run import GenerationRequest, generate_steps
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The outputs of a batch, and what making them was to take and took this time."""

    outputs: LLMOutputs
    plan: Plan
    summary: RunSummary
    prompt_names: frozenset[str]
    """The names of an item that the prompts use, the judge's included."""


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
    """Ask for what is not on record, and put every item's end together in item order; see `generate_steps`."""
    made = generate_steps(
        task,
        project,
        request,
        selected={None},
        items=items,
        contexts=contexts,
        schema_text=schema_text,
        observer=observer,
        clock=clock,
    )
    return Generation(
        outputs=made.outputs[None],
        plan=made.plan,
        summary=made.summary,
        prompt_names=made.prompt_names[None],
    )
