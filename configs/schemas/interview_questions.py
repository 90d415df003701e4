from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LLMOutput(BaseModel):
    """One interview question, with what to listen for."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(
        min_length=1,
        max_length=500,
        description="The question as the interviewer reads it out: one situation, one thing asked, no hint at the answer.",
    )
    what_a_good_answer_shows: str = Field(
        min_length=1,
        max_length=600,
        description="Two or three signs that can be heard in an answer and tell a strong candidate from a fluent one.",
    )
    difficulty: Literal["easy", "moderate", "hard"] = Field(
        description="How demanding the question is for a candidate of the level it is meant for."
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="How sure it is that the question tests this skill at this level and no other row of the role, from 0 to 1.",
    )
