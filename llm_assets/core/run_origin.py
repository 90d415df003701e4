"""What a run was made with: its settings, what differs in them from the file, and the project's commit."""

from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from llm_assets.core.ids import StepName
from llm_assets.core.setting_changes import SettingChange
from llm_assets.core.values import FrozenModel

OUTPUT_SETTINGS = ("prompt", "llm", "attempts", "judge", "limits", "budget")
"""The blocks of a task that no stage before the outputs reads and none after them."""
STEP_SETTINGS = ("prompt", "llm", "attempts", "judge")
"""The same of a step."""
_AT_STEPS = ("prompt", "judge")
"""What a task with several steps says at them alone."""


class GitState(FrozenModel):
    """Where a project stood in its history."""

    commit: str
    is_clean: bool | None
    """Whether every file was as in the commit; None where that took too long to find out."""


class RunOrigin(FrozenModel):
    """What one run was made with."""

    settings: dict[str, JsonValue]
    """Every setting with its value, the defaults included."""
    changes: tuple[SettingChange, ...]
    """What was set for this run alone."""
    git: GitState | None
    """None where the project is in no repository."""


def is_output_setting(path: str, *, step: StepName | None = None) -> bool:
    """Whether a setting shapes the outputs and no other stage; those of one step, where it is given."""
    first, *rest = path.split(".")
    if first != "steps":
        return first in OUTPUT_SETTINGS
    return len(rest) > 1 and step in {None, rest[0]} and rest[1] in STEP_SETTINGS


def list_output_settings(steps: Sequence[StepName]) -> tuple[str, ...]:
    """The paths of blocks that shape the outputs alone; `steps` are those of a task that has several."""
    if not steps:
        return OUTPUT_SETTINGS
    of_task = [name for name in OUTPUT_SETTINGS if name not in _AT_STEPS]
    return (*of_task, *(f"steps.{step}.{name}" for step in steps for name in STEP_SETTINGS))


def select_output_changes(
    changes: Iterable[SettingChange], *, step: StepName | None = None
) -> tuple[SettingChange, ...]:
    """Those that shaped the outputs, or those of one step, and no other stage."""
    return tuple(change for change in changes if is_output_setting(change.path, step=step))


def render_git_state(git: GitState) -> str:
    """Such as `1a2b3c4d, with changes that were not committed`."""
    if git.is_clean is None:
        return git.commit
    return git.commit + (", clean" if git.is_clean else ", with changes that were not committed")
