"""How a task's schema module is imported, and how a new one takes an old one's place."""

import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

from pydantic import BaseModel, RootModel
from pydantic.errors import PydanticUserError

from llm_assets.core.closed_models import build_object_model, close_models
from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import Sha256
from llm_assets.errors import ConfigError, StorageError, suggest

_MODULE_PREFIX = "llm_assets_schema_"


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
    source = _read_source(path, shown_path=shown_path)
    models = dict(_import_models(path, source, shown_path))
    found = {
        name: _find_model(models, name, path=path, source=source, shown_path=shown_path)
        for name in (output_model, judge_model)
        if name == output_model or name in models or name in _import_names(path, source, shown_path)
    }
    models |= found
    return SchemaModule(
        output_model=found[output_model],
        judge_model=found.get(judge_model),
        source_sha256=fingerprint_text(source),
        models=models,
    )
