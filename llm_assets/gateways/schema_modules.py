"""How a task's schema module is imported, and how a new one takes an old one's place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeGuard

from pydantic import BaseModel, RootModel
from pydantic.errors import PydanticUserError

from llm_assets.core.closed_models import build_object_model, close_models
from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import Sha256
from llm_assets.core.json_schema import MODULE_PREFIX
from llm_assets.errors import ConfigError, StorageError, suggest
from llm_assets.gateways.python_files import (
    forget_module,
    import_python_text,
    render_exception,
)
from llm_assets.gateways.text_files import read_text_file


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaModule:
    """A schema module that is good to use: every model in it forbids unknown fields."""

    output_model: type[BaseModel]
    """What an answer is validated by; its answers are objects."""
    judge_model: type[BaseModel] | None
    """None where the module has no model of that name."""
    source_sha256: Sha256
    models: Mapping[str, type[BaseModel]]
    """All models of the module by name, in the order of the file."""


def load_schema_module(
    path: Path, *, shown_path: str, output_model: str, judge_model: str
) -> SchemaModule:
    """Import the module and find its models.

    The import leaves no bytecode beside the file and never meets the module of another task: its name is a hash of
    the source. The same source at the same place gives the same classes.

    Args:
        path: The module's file.
        shown_path: What messages call it.
        output_model: The name of the class that an answer is validated by.
        judge_model: The name of the class of a judge's verdict; it may be missing.

    Raises `ConfigError` for a missing or unreadable file, a syntax error, an error while importing, a module
    without models, one without the output model, and a model that is open on purpose or cannot be told as JSON
    Schema.
    """
    source = read_text_file(path, shown=shown_path, purpose="schema module")
    module = _import_module(path, source, shown_path)
    output = _find_model(module, output_model, shown_path=shown_path)
    has_judge = judge_model in vars(module.module)
    judge = _find_model(module, judge_model, shown_path=shown_path) if has_judge else None
    return SchemaModule(
        output_model=output,
        judge_model=judge,
        source_sha256=fingerprint_text(source),
        models={**module.models, output_model: output},
    )


def write_schema_module(path: Path, source: str, *, archived_at: datetime) -> Path | None:
    """Write the module's file, and return where the one that stood there was archived.

    The old file is copied to `archive/` beside it before the new one takes its place, so that there is a module at
    every moment and nothing is lost at any. None where there was no file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        archived = _archive(path, archived_at=archived_at) if path.exists() else None
        fresh = path.with_name(f".{path.name}.new")
        _write_durably(fresh, source.encode(), mode="wb")
        fresh.replace(path)
    except OSError as exc:
        raise StorageError(
            f"The schema module {path} cannot be written ({exc.strerror}); the old one is as it was.",
            remedy="Check the folder's permissions and the free space.",
        ) from exc
    return archived


@dataclass(frozen=True, slots=True, kw_only=True)
class _ImportedModule:
    module: ModuleType
    models: Mapping[str, type[BaseModel]]


@lru_cache(maxsize=64)
def _import_module(path: Path, text: str, shown_path: str) -> _ImportedModule:
    name = f"{MODULE_PREFIX}{fingerprint_text(text)[:16]}"
    module = import_python_text(
        text, path=path, name=name, shown_path=shown_path, purpose="schema module"
    )
    try:
        models = _list_models(module, shown_path=shown_path)
        close_models(models.values(), module_name=name, shown_path=shown_path)
    except ConfigError:
        forget_module(name)
        raise
    return _ImportedModule(module=module, models=models)


def _list_models(module: ModuleType, *, shown_path: str) -> dict[str, type[BaseModel]]:
    names = [name for name in vars(module) if name.isidentifier() and not name.startswith("_")]
    values = {
        name: vars(module)[name] for name in names
    }  # a name like `Page[Item]` is Pydantic's own
    models = {name: value for name, value in values.items() if _is_model(value)}
    if not models:
        raise ConfigError(
            f"{shown_path} holds no Pydantic model.",
            remedy="Write a class LLMOutput(BaseModel) with the fields of an answer.",
        )
    for name, model in models.items():
        try:
            model.model_rebuild()
        except (PydanticUserError, NameError) as exc:
            raise ConfigError(
                f"{shown_path}: model {name!r} is not complete: {render_exception(exc)}.",
                remedy="Define or import what its annotations name.",
            ) from exc
    return models


def _is_model(value: object) -> TypeGuard[type[BaseModel]]:
    is_class = isinstance(value, type) and issubclass(value, BaseModel)
    return is_class and value not in (BaseModel, RootModel)


def _find_model(imported: _ImportedModule, name: str, *, shown_path: str) -> type[BaseModel]:
    model = imported.models.get(name)
    if model is not None:
        return _build_tellable_model(model, shown_path=shown_path)
    names = ", ".join(imported.models)
    remedy = f"{suggest(name, imported.models)} Models there: {names}.".strip()
    if name in vars(imported.module):
        kind = type(vars(imported.module)[name]).__name__
        what = f"{shown_path}: {name!r} is of type {kind!r} and not a Pydantic model."
        raise ConfigError(what, remedy=f"Derive it from BaseModel. {remedy}")
    raise ConfigError(f"{shown_path} holds no model {name!r}.", remedy=remedy)


def _build_tellable_model(model: type[BaseModel], *, shown_path: str) -> type[BaseModel]:
    try:
        return build_object_model(model)
    except PydanticUserError as exc:
        raise ConfigError(
            f"{shown_path}: {model.__name__!r} cannot be told to a model as JSON Schema: "
            f"{render_exception(exc)}.",
            remedy="Use types that JSON has: text, numbers, booleans, lists, nested models.",
        ) from exc


def _archive(path: Path, *, archived_at: datetime) -> Path:
    folder = path.parent / "archive"
    folder.mkdir(exist_ok=True)
    stamp = archived_at.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
    content = path.read_bytes()
    for number in count(1):
        suffix = "" if number == 1 else f"_{number}"
        target = folder / f"{path.stem}_{stamp}{suffix}{path.suffix}"
        try:
            _write_durably(target, content, mode="xb")
        except FileExistsError:
            continue
        return target
    raise AssertionError("unreachable")


def _write_durably(path: Path, content: bytes, *, mode: Literal["wb", "xb"]) -> None:
    with path.open(mode) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
