"""In which settings does a run differ from its task's file?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import cast

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
    """The settings that differ, in the order in which they stand; `gaps` are those the file leaves open.

    Lists are compared as a whole, but for the steps of a task: where their names are the same, one by one.
    """
    before = dict(_flatten(_open_lists(file_settings, run_settings)))
    after = dict(_flatten(_open_lists(run_settings, file_settings)))
    open_paths = frozenset(gaps)
    paths = dict.fromkeys([*after, *before])
    return tuple(
        SettingChange(
            path=path,
            file_value=None if path in open_paths else _find_value(before, path),
            run_value=_find_value(after, path),
        )
        for path in paths
        if _find_value(before, path) != _find_value(after, path)
        or path in open_paths & after.keys()
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
            block = _step_into(block, part)
        block[last] = change.run_value
    return changed


def _step_into(block: dict[str, JsonValue], part: str) -> dict[str, JsonValue]:
    """The block under a key, made where there is none; of a list with names, all entries under theirs."""
    inner = block.get(part)
    entries = _list_entries(inner)
    if entries:
        # The entries stay in their list, and the names lead to them.
        return cast("dict[str, JsonValue]", entries)
    if not isinstance(inner, dict):
        block[part] = inner = {}
    return inner


def _open_lists(
    settings: Mapping[str, JsonValue], others: Mapping[str, JsonValue]
) -> Mapping[str, JsonValue]:
    """The settings with the entries of a list under their names, where those of `others` have the same ones."""
    opened = dict(settings)
    for key, value in settings.items():
        entries = _list_entries(value)
        if entries and list(entries) == list(_list_entries(others.get(key))):
            opened[key] = cast("JsonValue", entries)
    return opened


def _list_entries(value: JsonValue) -> dict[str, dict[str, JsonValue]]:
    """The blocks of a list by their names; none where it is no list of blocks that each have one."""
    blocks = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    names = [str(block["name"]) for block in blocks if "name" in block]
    is_named = isinstance(value, list) and len(set(names)) == len(value)
    return dict(zip(names, blocks, strict=True)) if is_named else {}


def _find_value(flat: Mapping[str, JsonValue], path: str) -> JsonValue:
    """The value that holds: what a step does not say about its model and its attempts is as in the task."""
    if path in flat or not path.startswith("steps."):
        return flat.get(path)
    return flat.get(path.split(".", 2)[-1])


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
