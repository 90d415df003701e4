"""What stages that call models have in common: what can be chosen for a run, and what makes their outputs stale."""

from dataclasses import replace
from typing import Any

import dagster as dg
from pydantic import Field

from llm_assets.config.answer import AnswerSettings
from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.hooks import HookSettings
from llm_assets.core.ids import StepName
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.setting_changes import render_setting_change
from llm_assets.defs.observing import log_lines
from llm_assets.defs.scope import TaskScope, build_image_parts, dump_settings, get_batch
from llm_assets.gateways.hook_files import find_hook_files
from llm_assets.gateways.launchpad import override_outputs
from llm_assets.gateways.steps_run import GenerationRequest
from llm_assets.gateways.tasks import Task, TaskStep
from llm_assets.gateways.text_files import fingerprint_file

TEXT_RECIPE = 1
"""Raised when the same text answers would be read otherwise."""
WITHOUT_EFFECT = {"price"}
"""Settings of a model that change no answer: what a call cost is put down when it is made."""
POOL = "llm_api"
"""Limits how many runs call models at once."""


class RunOptions(dg.Config):
    """What can be chosen for one run."""

    limit: int | None = Field(
        default=None, ge=1, description="Only the first so many items that are due."
    )
    force: bool = Field(default=False, description="Ask anew, also where there are answers.")
    set: dict[str, Any] = Field(
        default={},
        description="Settings for this run alone by their paths, such as `llm.temperature: 0.2` or `steps.NAME.llm.seed: 7`.",
    )


def build_request(context: dg.AssetExecutionContext, options: RunOptions) -> GenerationRequest:
    """What a run is to answer."""
    return GenerationRequest(
        batch=get_batch(context),
        run_id=context.run.run_id,
        choice=RunChoice(limit=options.limit, is_forced=options.force),
    )


def choose_settings(
    context: dg.AssetExecutionContext, scope: TaskScope, options: RunOptions
) -> TaskScope:
    """The task with what was set for this run, which is told; `ConfigError` for what cannot be set here."""
    task = override_outputs(scope.task, scope.project, options.set)
    log_lines(context, (f"set: {render_setting_change(change)}" for change in task.changes))
    return replace(scope, task=task)


def build_step_parts(task: Task, step: TaskStep) -> dict[str, object]:
    """What shapes the outputs of a step, for its code version; another step's settings are no part of it."""
    return {
        **_build_call_parts(step),
        **_build_answer_parts(step.settings.answer),
        **_build_hook_parts(task, step.settings.hooks),
    }


def _build_answer_parts(answer: AnswerSettings) -> dict[str, object]:
    """What the reading of text answers adds: nothing, where answers are JSON."""
    return {} if answer.kind == "json" else {"answer": [TEXT_RECIPE, dump_settings(answer)]}


def _build_hook_parts(task: Task, hooks: HookSettings) -> dict[str, object]:
    """What the functions of the project add: nothing, where there are none."""
    files = find_hook_files(hooks, task)
    return {"hooks": [dump_settings(hooks), *map(fingerprint_file, files)]} if files else {}


def _build_call_parts(step: TaskStep) -> dict[str, object]:
    settings = step.settings
    return {
        "prompt": fingerprint_file(step.prompt_path),
        "llm": dump_settings(settings.llm, exclude=WITHOUT_EFFECT),
        "endpoint": _list_what_counts(step.endpoint),
        "attempts": dump_settings(settings.attempts),
        **build_image_parts(settings.images),
        **_build_judge_parts(step),
    }


def _build_judge_parts(step: TaskStep) -> dict[str, object]:
    """What the judge adds: nothing, where there is none."""
    if step.settings.judge is None or step.judge_prompt_path is None:
        return {}
    return {
        "judge": dump_settings(step.settings.judge, exclude={"llm"}),
        "judge_llm": dump_settings(step.settings.judge_llm, exclude=WITHOUT_EFFECT),
        "judge_prompt": fingerprint_file(step.judge_prompt_path),
        "judge_endpoint": _list_what_counts(step.judge_endpoint),
    }


def _list_what_counts(endpoint: EndpointSettings) -> list[object]:
    return [endpoint.base_url, endpoint.structured_output, endpoint.token_parameter]


def name_prompt_file(step: StepName | None) -> str:
    """The node of a step's prompt file."""
    return "prompt_file" if step is None else f"{step}_prompt_file"


def name_calling_op(scope: TaskScope) -> str:
    """The op of a task that calls models, which takes the options of a run."""
    stage = "steps" if scope.task.has_chain else "llm_outputs"
    return scope.build_key(stage).to_python_identifier()
