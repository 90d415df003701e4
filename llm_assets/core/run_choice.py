"""What can be chosen for one run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoice:
    """Which of the items run."""

    limit: int | None
    """Only the first so many that are due; None for all."""
    is_forced: bool
    """Whether items are asked anew although they have answers."""
