from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Point = Annotated[str, Field(min_length=1, max_length=200)]


class LLMOutput(BaseModel):
    """What one review says about a product. Each field is taken from the part of the answer with its name."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(
        min_length=1, max_length=400, description="The review in one or two sentences."
    )
    # A default makes a part optional: without it the answer counts, and `parse_errors` says what is missing.
    analysis_points: list[Point] = Field(
        default=[],
        max_length=6,
        description="What is good or bad about the product, one short point each.",
    )
    # No default: an answer without a rating, or with 95 for it, is asked for again.
    rating: int = Field(ge=1, le=10, description="How content the buyer is, from 1 to 10.")
    confidence: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="How well the review supports the rating, from 0 to 1.",
    )
