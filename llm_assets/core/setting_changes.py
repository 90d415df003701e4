"""In which settings does a run differ from its task's file?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy

from pydantic import JsonValue

from llm_assets.core.fingerprint import render_json
from llm_assets.core.values import FrozenModel


class SettingChange(FrozenModel):
    """A setting that was set for one run."""

    path: str
    """Such as `llm.temperature`."""
    file_value: JsonValue
    """What the file says, or what holds where it says nothing; None where the value had to be given."""
    run_value: JsonValue


def list_setting_changes(
    file_settings: Mapping[str, JsonValue],
    run_settings: Mapping[str, JsonValue],
    *,
    gaps: Iterable[str] = (),
) -> tuple[SettingChange, ...]:
    """The settings that differ, in the order in which they stand; `gaps` are those the file leaves open."""
    before, after = dict(_flatten(file_settings)), dict(_flatten(run_settings))
    open_paths = frozenset(gaps)
    paths = dict.fromkeys([*after, *before])
    return tuple(
        SettingChange(
            path=path,
            file_value=None if path in open_paths else before.get(path),
            run_value=after.get(path),
        )
        for path in paths
        if before.get(path) != after.get(path) or path in open_paths & after.keys()
    )


def render_setting_change(change: SettingChange) -> str:
    """Such as `llm.temperature = 0.2 (in the file: not set)`."""
    before, after = map(_render, (change.file_value, change.run_value))
    return f"{change.path} = {after} (in the file: {before})"


def apply_setting_changes(
    settings: Mapping[str, JsonValue], changes: Iterable[SettingChange]
) -> dict[str, JsonValue]:
    """The settings as they were for the run that the changes belong to."""
    changed = deepcopy(dict(settings))
    for change in changes:
        *around, last = change.path.split(".")
        block = changed
        for part in around:
            inner = block.get(part)
            block[part] = inner = dict(inner) if isinstance(inner, dict) else {}
            block = inner
        block[last] = change.run_value
    return changed


def build_changes_record(changes: Sequence[SettingChange]) -> dict[str, JsonValue]:
    """The changes for scripts, under `set`; nothing where there are none."""
    if not changes:
        return {}
    return {
        "set": {
            change.path: {"file": change.file_value, "run": change.run_value} for change in changes
        }
    }


def _render(value: JsonValue) -> str:
    return "not set" if value is None else render_json(value)


def _flatten(
    settings: Mapping[str, JsonValue], inside: str = ""
) -> Iterator[tuple[str, JsonValue]]:
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{inside}{key}.")
        else:
            yield f"{inside}{key}", value
