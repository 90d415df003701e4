"""Which functions of a project's files a task calls."""

import inspect
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from llm_assets.config.hooks import HookKind, HookSettings
from llm_assets.core.fingerprint import fingerprint, fingerprint_text
from llm_assets.core.item_hooks import Hook, Hooks
from llm_assets.errors import ConfigError, suggest
from llm_assets.gateways.project import Project
from llm_assets.gateways.python_files import import_python_text
from llm_assets.gateways.tasks import Task
from llm_assets.gateways.text_files import read_text_file
from llm_assets.hooks import Scorer

MODULE_PREFIX = "llm_assets_hooks_"
"""How the names of imported hook files begin; a hash of the path and the source follows."""

_PARAMETERS: dict[HookKind, tuple[str, ...]] = {
    "request": ("item",),
    "result": ("item", "output"),
    "check": ("item", "output"),
    "scorer": ("output", "expected"),
}


def load_hooks(settings: HookSettings, task: Task, project: Project) -> Hooks | None:
    """The hooks of a step of a task; None where it has none. `ConfigError` names what cannot be used."""
    if not settings.references:
        return None
    hooks = {
        kind: load_hook(reference, kind=kind, task=task, project=project)
        for kind, reference in settings.references.items()
    }
    return Hooks(
        names=frozenset(settings.names),
        request=hooks.get("request"),
        result=hooks.get("result"),
        check=hooks.get("check"),
        scorer=hooks.get("scorer"),
    )


def load_scorers(task: Task, project: Project) -> dict[str, Hook[Scorer]]:
    """The functions that score by what is expected, by their fields; `ConfigError` names what cannot be used."""
    expected = task.settings.expected
    references = {} if expected is None else expected.hooks
    return {
        name: load_hook(reference, kind="scorer", task=task, project=project)
        for name, reference in references.items()
    }


def load_hook(reference: str, *, kind: HookKind, task: Task, project: Project) -> Hook[Any]:
    """The function that `path/to/file.py:function` stands for, seen from the task's project.

    Raises `ConfigError` for a file that is missing or cannot be imported, and for a function that is missing, is
    `async` or does not take the arguments of its kind.
    """
    relative, _, function = reference.rpartition(":")
    path = task.resolve(relative)
    shown = project.show(path)
    source = read_text_file(path, shown=shown, purpose="hook file")
    name = f"{shown}:{function}"
    call = _find_function(_import_file(path, source, shown), kind, name=name)
    return Hook(kind=kind, name=name, source_sha256=fingerprint_text(source), call=call)


def find_hook_files(settings: HookSettings, task: Task) -> tuple[Path, ...]:
    """The files that the hooks of a step of a task stand in, each once."""
    return _find_files(task, settings.references.values())


def find_scorer_files(task: Task) -> tuple[Path, ...]:
    """The files with the functions that score by what is expected, each once."""
    expected = task.settings.expected
    return () if expected is None else _find_files(task, expected.hooks.values())


def _find_files(task: Task, references: Iterable[str]) -> tuple[Path, ...]:
    return tuple(
        dict.fromkeys(task.resolve(reference.rpartition(":")[0]) for reference in references)
    )


@lru_cache(maxsize=64)
def _import_file(path: Path, text: str, shown_path: str) -> ModuleType:
    name = f"{MODULE_PREFIX}{fingerprint([str(path), text])[:16]}"
    return import_python_text(
        text, path=path, name=name, shown_path=shown_path, purpose="hook file"
    )


def _find_function(module: ModuleType, kind: HookKind, *, name: str) -> Callable[..., Any]:
    function = name.rpartition(":")[2]
    found = vars(module).get(function)
    if found is None:
        names = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise ConfigError(
            f"The {kind} hook {name} does not exist.",
            remedy=f"{suggest(function, names)} Functions there: {', '.join(names) or 'none'}.".strip(),
        )
    wanted = _PARAMETERS[kind]
    if not callable(found) or inspect.iscoroutinefunction(found) or not _takes(found, len(wanted)):
        raise ConfigError(
            f"The {kind} hook {name} cannot be called with ({', '.join(wanted)}).",
            remedy=f"Write it as `def {function}({', '.join(wanted)}):`.",
        )
    return found


def _takes(function: Callable[..., object], n_arguments: int) -> bool:
    try:
        inspect.signature(function).bind(*range(n_arguments))
    except (TypeError, ValueError):
        return False
    return True
