"""What a task file can say about which accepted outputs may be published without a person's look."""

from typing import Annotated

from pydantic import Field

from llm_assets.config.base import Settings


class GateSettings(Settings):
    """The number that an accepted output has to reach; what stays below it waits for a person.

    A changed gate sends no call: outputs are sorted anew, and nothing else is.
    """

    field: Annotated[str, Field(min_length=1)]
    """The field of the output that holds the number, dotted where nested.

    Where a task has steps it is a field of the last one, or that of any as `<step>.<field>`.
    """
    at_least: float
    """What passes: 0.8 passes at 0.8. An output without a number there does not."""
