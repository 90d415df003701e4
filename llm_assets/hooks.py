"""What Python functions of a project can do for a task where the words of a config end.

A hook is a plain function in a file of the project, named in the config:

    hooks:
      request: configs/hooks/product_reviews.py:build_request

A hook has to be a function of its arguments: a run replays the answers on record, and calls the hooks each time. It
must not send, write, draw at random or look at the clock. What it raises is its item's failure, and no other's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import JsonValue

Output: TypeAlias = Mapping[str, JsonValue]
"""An output that is valid under the schema. A hook gets a copy, which it may change and return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookItem:
    """The item that a hook is called for."""

    work_id: str
    row_ids: tuple[str, ...]
    """One row's, or those of all rows of a group."""
    values: Mapping[str, str | int | float | bool | None]
    """The columns that the model may see, as they are after cleaning; none where an item is a group."""
    group_key: str | None
    group_context: str | None
    """The text of the item's group."""
    extra: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """What the request hook gave the item to take along."""
    steps: Mapping[str, Output] = field(default_factory=dict[str, Output])
    """What the earlier steps answered, by their names; none where a task is one step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a request hook adds to an item."""

    names: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Values for the prompt, exactly those that `hooks.names` lists. They are part of the words sent, so a changed
    value is another call."""
    extra: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Values that travel with the item: later hooks see them, the record keeps them, the export has them as
    `extra.<name>`. The model does not see them, and they change no call."""


@dataclass(frozen=True, slots=True)
class Skip:
    """What a request hook returns for an item that is not to be asked about."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """What a check returns for an output that is not acceptable."""

    reason: str
    """Goes back to the model, which is asked again, and into the record."""


RequestBuilder: TypeAlias = Callable[[HookItem], Request | Skip | None]
"""Called before an item is asked about; None leaves it out, like a `Skip` without words."""
ResultHandler: TypeAlias = Callable[[HookItem, Output], Output]
"""Called with a valid output, before the check and the judge; what it returns is validated again."""
Check: TypeAlias = Callable[[HookItem, Output], Rejection | None]
"""Called with a valid output; None accepts it."""
Scorer: TypeAlias = Callable[[Output, JsonValue], float | None]
"""Called with an accepted output and what was expected of it, which is None where nothing is known to be expected.

The larger the number, the better; None where nothing can be said.
"""
