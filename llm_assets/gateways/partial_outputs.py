"""What the ledger holds of a batch while its run is going on, or after one that did not get to its end."""

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.item_loop import Done, advance, build_unasked_output
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.step import Step
from llm_assets.core.work_items import WorkItems
from llm_assets.gateways.generation import build_items, build_origin, build_outputs_meta
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.planning import ForeseenEpochs, Planner
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_schemas import load_task_schema
from llm_assets.gateways.task_steps import build_connections, build_task_step
from llm_assets.gateways.tasks import Task

NOT_ANSWERED = "Not answered yet."
EVERYTHING = RunChoice(limit=None, is_forced=False)


def replay_outputs(
    task: Task, project: Project, *, items: WorkItems, contexts: GroupContexts, ledger: Ledger
) -> LLMOutputs:
    """The outputs as far as the answers on record carry them; nothing is sent and nothing is written.

    An item whose next call has no answer yet is `skipped`, with a reason that says so. Prompt, schema and settings
    are those of now, which are those of a run that is going on.
    """
    module = load_task_schema(task, project)
    connections = build_connections(task, project, needs_key=False)
    step = build_task_step(
        task,
        project,
        module=module,
        connections=connections,
        schema_text=build_schema_text({task.settings.schema_.output_model: module.output_model}),
        columns=items.meta.columns,
    )
    planner = Planner(
        step=step,
        task=task.name,
        connections=connections,
        ledger=ledger,
        epochs=ForeseenEpochs(ledger),
    )
    replayed = planner.replay(build_items(items, contexts), EVERYTHING)
    records = tuple(_find_output(step, state) for state in replayed)
    meta = build_outputs_meta(
        task,
        step,
        module,
        records=records,
        prices={purpose: each.compute_cost for purpose, each in connections.items()},
        origin=build_origin(task, project),
    )
    return LLMOutputs(meta=meta, records=records)


def _find_output(step: Step, state: ReplayedItem) -> ItemOutput:
    """The item's end, also one that a next run would not leave it at."""
    if state.output is not None:
        return state.output
    decision = advance(step, state.item, state.answers, n_known=0)
    if isinstance(decision, Done):
        return decision.output
    return build_unasked_output(
        step, state.item, state.answers, outcome="skipped", reason=NOT_ANSWERED
    )
