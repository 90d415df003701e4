"""What a task file can say about another task that its outputs are compared with."""

from typing import Annotated

from pydantic import Field

from llm_assets.config.base import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class CompareSettings(Settings):
    """The other task, and how far the outputs may be from its own.

    Each limit is about the items of a batch; one that is not given holds nothing. What follows where one is passed
    says `checks.agreement`: unless that is changed, the export and what comes after it are not made.
    """

    with_: Annotated[str, Field(alias="with", min_length=1)]
    """A task with the same input, such as the one that this is a variant of."""
    max_changed: Share | None = None
    """So much of the items may have ended otherwise or have another output; 0.1 is 10%."""
    max_unpaired: Share | None = None
    """So much of the items may be in one of the two tasks alone."""
    max_accepted_drop: Share | None = None
    """By so much the share of accepted items may be lower than there; 0.02 is two points of a hundred."""
    max_score_drop: Share | None = None
    """By so much the score may be lower than there, over the items that are scored in both tasks."""
    examples: Annotated[int, Field(ge=0)] = 5
    """How many items the report of the comparison shows for each field that differs."""

    @property
    def has_limits(self) -> bool:
        """Whether the comparison can fail."""
        limits = (
            self.max_changed,
            self.max_unpaired,
            self.max_accepted_drop,
            self.max_score_drop,
        )
        return any(limit is not None for limit in limits)
