"""What outputs were made with: models, prompts, settings and the state of the project."""

from collections.abc import Mapping, Sequence

from llm_assets.core.cache_saving import compute_cache_saving
from llm_assets.core.calls import Purpose
from llm_assets.core.llm_outputs import (
    TEXT_LEVEL,
    HookRecord,
    ItemOutput,
    LLMOutputsMeta,
    build_totals,
)
from llm_assets.core.plan_cost import Price
from llm_assets.core.run_origin import RunOrigin, select_output_changes
from llm_assets.core.steps import decide_level
from llm_assets.gateways.git_state import read_git_state
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_steps import ConnectedStep
from llm_assets.gateways.tasks import Task


def build_run_origin(task: Task, project: Project) -> RunOrigin:
    """With what settings outputs are made, and at which state of the project's files."""
    return RunOrigin(
        settings=task.settings.model_dump(mode="json", by_alias=True),
        changes=task.changes,
        git=read_git_state(project.root),
    )


def build_outputs_meta(
    task: Task, connected: ConnectedStep, *, records: Sequence[ItemOutput], origin: RunOrigin
) -> LLMOutputsMeta:
    """What the outputs of a step were made with, and their sums."""
    step, judge = connected.step, connected.step.judge
    own = next(each for each in task.steps if each.name == step.name)
    llm = own.settings.llm
    prices: Mapping[Purpose, Price] = {
        purpose: connection.compute_cost for purpose, connection in connected.connections.items()
    }
    return LLMOutputsMeta(
        endpoint=llm.endpoint,
        model=llm.model,
        is_rehearsal=own.endpoint.is_offline,
        prompt_path=step.prompt.path,
        prompt_sha256=step.prompt.sha256,
        schema_sha256=step.schema_sha256,
        judge_model=judge.settings.model if judge else None,
        judge_prompt_sha256=judge.prompt.sha256 if judge else None,
        judge_prompt_path=judge.prompt.path if judge else None,
        judge_endpoint=own.settings.judge_llm.endpoint if judge else None,
        is_judge_rehearsal=judge is not None and own.judge_endpoint.is_offline,
        structured_output=TEXT_LEVEL
        if step.text_form is not None
        else decide_level(llm, own.endpoint, step.output_model),
        parameters=dict(step.settings.parameters),
        hooks=tuple(
            HookRecord(kind=hook.kind, name=hook.name, source_sha256=hook.source_sha256)
            for hook in (step.hooks.all if step.hooks else ())
        ),
        totals=build_totals(records),
        changes=select_output_changes(origin.changes, step=step.name),
        git=origin.git,
        cache_saving_usd=compute_cache_saving(records, prices),
    )
