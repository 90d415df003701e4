"""What a run was made with: its settings, what differs in them from the file, and the project's commit."""

from collections.abc import Iterable

from pydantic import JsonValue

from llm_assets.core.setting_changes import SettingChange
from llm_assets.core.values import FrozenModel

OUTPUT_SETTINGS = ("prompt", "llm", "attempts", "judge", "limits", "budget")
"""The blocks of a task that no stage before the outputs reads and none after them."""


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


def select_output_changes(changes: Iterable[SettingChange]) -> tuple[SettingChange, ...]:
    """Those that shaped the outputs, and no other stage."""
    return tuple(change for change in changes if change.path.split(".")[0] in OUTPUT_SETTINGS)


def render_git_state(git: GitState) -> str:
    """Such as `1a2b3c4d, with changes that were not committed`."""
    if git.is_clean is None:
        return git.commit
    return git.commit + (", clean" if git.is_clean else ", with changes that were not committed")
