"""What the ledger holds of a batch while its run is going on, or after one that did not get to its end."""

from collections.abc import Sequence

from llm_assets.core.chain import ReplayedChain, enter_step
from llm_assets.core.chain_outputs import join_steps
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import StepName
from llm_assets.core.item_loop import Done, advance, build_unasked_output
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.step import Step
from llm_assets.core.work_items import WorkItems
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.outputs_meta import build_outputs_meta, build_run_origin
from llm_assets.gateways.planning import Planner
from llm_assets.gateways.project import Project
from llm_assets.gateways.replaying import ForeseenEpochs
from llm_assets.gateways.schema_texts import build_step_texts
from llm_assets.gateways.steps_run import build_items
from llm_assets.gateways.task_schemas import load_step_schemas
from llm_assets.gateways.task_steps import build_task_steps
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
    schemas = load_step_schemas(task, project)
    connected = build_task_steps(
        task,
        project,
        schemas=schemas,
        texts=build_step_texts(task, schemas),
        columns=items.meta.columns,
        needs_key=False,
    )
    planner = Planner(steps=connected, task=task.name, ledger=ledger, epochs=ForeseenEpochs(ledger))
    replayed = planner.build_replayer(EVERYTHING).replay(build_items(items, contexts))
    steps = [each.step for each in connected]
    ends = [_list_ends(steps, chain) for chain in replayed]
    origin = build_run_origin(task, project)
    outputs: dict[StepName | None, LLMOutputs] = {}
    for number, each in enumerate(connected):
        records = tuple(own[number] for own in ends)
        meta = build_outputs_meta(task, each, records=records, origin=origin)
        outputs[each.step.name] = LLMOutputs(meta=meta, records=records)
    if not task.has_chain:
        return outputs[None]
    named = {name: each for name, each in outputs.items() if name is not None}
    return join_steps(named, after={step.name: step.after for step in steps if step.name})


def _list_ends(steps: Sequence[Step], chain: ReplayedChain) -> list[ItemOutput]:
    """What became of an item in each step; what waits for an earlier step is blocked."""
    ends = dict(chain.given)
    listed: list[ItemOutput] = []
    for step, state in zip(steps, chain.states, strict=True):
        at = state or enter_step(step, chain.item, ends)
        end = _find_output(step, at if isinstance(at, ReplayedItem) else _wait(at or chain.item))
        listed.append(end)
        if step.name is not None:
            ends[step.name] = end
    return listed


def _wait(item: Item) -> ReplayedItem:
    return ReplayedItem(item=item, answers=(), output=None, next_key=None, next_purpose=None)


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
