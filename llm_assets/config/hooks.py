"""Which Python functions of the project a task calls."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from llm_assets.config.base import Settings

HookKind = Literal["request", "result", "check", "scorer"]

_REFERENCE = re.compile(r".+\.py:[^\W\d]\w*")


def _check_reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError("name a file and a function in it, as in configs/hooks/reviews.py:check")
    return text


HookReference = Annotated[str, AfterValidator(_check_reference)]
"""A file of the project and a function in it, as in `configs/hooks/reviews.py:check`."""


class HookSettings(Settings):
    """Python functions for what a config cannot say; `llm_assets/hooks.py` says what each gets and gives."""

    request: HookReference | None = None
    """Called before an item is asked about: may leave it out, give the prompt further names, and have extra values
    travel with it into the record and the export."""
    names: tuple[str, ...] = ()
    """The names that `request` gives the prompt, so that a prompt is checked before the first call."""
    result: HookReference | None = None
    """Called with each valid output: returns it changed or completed; the schema checks it again."""
    check: HookReference | None = None
    """Called with each valid output: says what is wrong with it, and it is asked for again like an invalid one."""
    scorer: HookReference | None = None
    """Called with each accepted output: gives the number that stands in the record and the export as `score`."""

    @model_validator(mode="after")
    def _check_names(self) -> "HookSettings":
        if self.names and self.request is None:
            raise ValueError("`names` are given by a `request` hook, and there is none")
        return self

    @property
    def references(self) -> dict[HookKind, str]:
        """The hooks that there are, by kind."""
        found: dict[HookKind, str | None] = {
            "request": self.request,
            "result": self.result,
            "check": self.check,
            "scorer": self.scorer,
        }
        return {kind: reference for kind, reference in found.items() if reference is not None}
