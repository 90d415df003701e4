from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LLMOutput(BaseModel):
    """What stands on one scanned page."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["invoice", "receipt", "delivery_note", "letter", "form", "notice", "other"] = (
        Field(description="What the page was written for.")
    )
    title: str = Field(min_length=1, max_length=120, description="The heading as it is written.")
    has_table: bool = Field(description="Whether there is a table with rules or columns.")
    stamp: Literal["none", "paid", "overdue", "copy", "checked", "filed", "urgent", "other"] = (
        Field(description="What the stamp says; none where there is no stamp.")
    )
    summary: str = Field(
        min_length=1,
        max_length=200,
        description="Who, what, how much and by when, as far as the page says.",
    )
    confidence: float = Field(
        ge=0, le=1, description="How well the page can be read and told apart, from 0 to 1."
    )
