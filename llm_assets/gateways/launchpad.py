"""Which settings can be set for the outputs alone, where a run is started stage by stage in the UI?"""

from collections.abc import Mapping

from pydantic import JsonValue

from llm_assets.config.overrides import Assignment
from llm_assets.core.run_origin import is_output_setting, list_output_settings
from llm_assets.errors import ConfigError
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task, check_no_gaps, override_task

LABEL = "`set`"


def override_outputs(task: Task, project: Project, values: Mapping[str, JsonValue]) -> Task:
    """The task with these settings for its outputs.

    `ConfigError` for a setting that other stages read, too: they have run by then, or run after with what the file
    says, so the run would be of two minds. And where values are still to be given.
    """
    far = [path for path in values if not is_output_setting(path)]
    if far:
        raise _build_far_error(task, far[0], f"`{far[0]}` is read by other stages, too")
    assignments = [
        Assignment(path=path, value=value, is_typed=False) for path, value in values.items()
    ]
    changed = override_task(task, project, assignments, label=LABEL)
    for before, after in zip(task.steps, changed.steps, strict=True):
        if (before.settings.judge is None) is not (after.settings.judge is None):
            path = "judge" if before.name is None else f"steps.{before.name}.judge"
            why = "whether there is a judge decides on the export, too"
            raise _build_far_error(task, path, why)
    check_no_gaps(changed)
    return changed


def _build_far_error(task: Task, path: str, why: str) -> ConfigError:
    return ConfigError(
        f"{LABEL} of the launchpad reaches the outputs alone, and {why}; nothing was sent.",
        remedy=f"Use `llm-assets run {task.name} --set {path}=…`, which sets it for all stages, or a variant. "
        f"Here can be set: {', '.join(list_output_settings(task.step_names))}.",
    )
