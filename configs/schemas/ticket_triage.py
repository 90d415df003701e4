from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LLMOutput(BaseModel):
    """How one support ticket is sorted."""

    model_config = ConfigDict(extra="forbid")

    category: Literal[
        "billing", "delivery", "hardware_fault", "app_and_account", "product_question", "other"
    ] = Field(
        description="What the customer needs solved; where there are two matters, the more urgent one."
    )
    urgency: Literal["low", "medium", "high", "critical"] = Field(
        description="How soon a person must look at it, by its consequences and not by its tone."
    )
    summary: str = Field(
        min_length=1,
        max_length=240,
        description="One or two plain English sentences: what happened, and what the customer asks for.",
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="How likely an experienced agent would choose the same category and urgency, from 0 to 1.",
    )


class JudgeResult(BaseModel):
    """Whether a sorted ticket can go to the agents as it is."""

    model_config = ConfigDict(extra="forbid")

    # Fields are written in this order: a reason that comes first is not made up for a verdict.
    reason: str = Field(
        min_length=1,
        max_length=400,
        description="What is wrong and what would be right, in a sentence or two; for a good one, what was checked.",
    )
    verdict: bool = Field(description="True if category, urgency and summary are all right.")
