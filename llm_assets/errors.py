"""Which mistakes stop a stage, and who has to act on them.

    LLMAssetsError
    ├── ConfigError      edit a config, a prompt, a schema or the environment   exit code 2
    ├── InputError       mend the table                                         exit code 2
    ├── ProviderError    the endpoint cannot serve this run                     exit code 3
    ├── BudgetError      a spending cap was reached                             exit code 3
    └── StorageError     an artifact or the ledger cannot be read or written    exit code 2

Every message has up to three parts: what happened to which thing, what was done about it, what to do now.
Trouble with a single item is never raised: it is that item's outcome.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class LLMAssetsError(Exception):
    """Something a person can mend; shown without a stack trace."""

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        """What happened to which thing, and what was done."""
        self.remedy = remedy
        """What the reader does next."""


class ConfigError(LLMAssetsError):
    """A config, prompt, schema module or environment variable has to change."""


class InputError(LLMAssetsError, ValueError):
    """The table has to change, or the settings that say how to read it."""


class ProviderError(LLMAssetsError):
    """The endpoint refused in a way that dooms every further call of this run."""

    exit_code: ClassVar[int] = 3

    def __init__(
        self, what: str, *, remedy: str = "", kind: str, request_id: str | None = None
    ) -> None:
        super().__init__(what, remedy=remedy)
        self.kind = kind
        """One of the fault kinds of `core/calls.py`."""
        self.request_id = request_id
        """The provider's name for the refused request, where it gave one."""


class BudgetError(LLMAssetsError):
    """A spending cap was reached; what was left out runs next time."""

    exit_code: ClassVar[int] = 3


class StorageError(LLMAssetsError):
    """An artifact or the ledger is missing, foreign, damaged or not writable."""


def suggest(name: str, choices: Iterable[str]) -> str:
    """`Did you mean 'x'?` for the choice most like `name`, or nothing where none is like it."""
    close = get_close_matches(name, list(choices), n=1)
    return f"Did you mean {close[0]!r}?" if close else ""
