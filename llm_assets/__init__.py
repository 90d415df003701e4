"""A table in, an LLM's checked answer for every row out, as a Dagster asset graph."""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["LLMTask", "build_definitions", "build_task_assets", "register_batch"]

_HOMES = {
    "LLMTask": "llm_assets.defs.component",
    "build_definitions": "llm_assets.defs.library",
    "build_task_assets": "llm_assets.defs.library",
    "register_batch": "llm_assets.defs.library",
}

if TYPE_CHECKING:
    from llm_assets.defs.component import LLMTask
    from llm_assets.defs.library import build_definitions, build_task_assets, register_batch
else:

    def __getattr__(name: str) -> object:
        """What other projects use, imported when it is first asked for: Dagster takes most of a second."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Also what was not asked for yet, so that Dagster finds the component."""
    return sorted({*globals(), *__all__})
