from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Layout(BaseModel):
    """What stands where on one scanned page."""

    model_config = ConfigDict(extra="forbid")

    arrangement: Literal["prose", "table", "blanks", "heading_only"] = Field(
        description="What takes most of the page."
    )
    blocks: list[Literal["heading", "text", "table", "blanks", "stamp"]] = Field(
        max_length=20, description="The blocks from top to bottom; none on an empty page."
    )
    headings: list[str] = Field(max_length=5, description="The headings as they are written.")
    stamp: str = Field(
        max_length=60, description="What the largest stamp says; none where there is no stamp."
    )
    text: str = Field(
        max_length=3000, description="What can be read, in the order in which a person reads it."
    )


class Labels(BaseModel):
    """What one scanned page is, for whoever looks for it."""

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
        ge=0, le=1, description="How well the page could be read and told apart, from 0 to 1."
    )
