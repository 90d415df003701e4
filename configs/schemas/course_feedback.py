from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Point = Annotated[str, Field(min_length=1, max_length=200)]


class LLMOutput(BaseModel):
    """What the students of one course say about it, taken together."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(
        min_length=1,
        max_length=700,
        description="Three to five sentences for the lecturer: the shared picture first, then where opinions part.",
    )
    strengths: list[Point] = Field(
        max_length=5,
        description="What works, most often named first; one short point each, empty where nothing is praised.",
    )
    weaknesses: list[Point] = Field(
        max_length=5,
        description="What does not work, most often named first; one short point each, empty where nothing is criticised.",
    )
    sentiment: Literal["positive", "mixed", "negative"] = Field(
        description="The mood of the answers as a whole."
    )
    recommendation: Literal["keep", "adjust", "rework"] = Field(
        description="What the department should do with the course next time."
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="How well the answers support this summary, from 0 to 1; few or contradicting answers lower it.",
    )
