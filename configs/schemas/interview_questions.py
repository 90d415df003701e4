from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

Points = Annotated[int, Field(ge=0, le=3)]


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


class JudgeResult(BaseModel):
    """Points for one interview question, by criterion."""

    model_config = ConfigDict(extra="forbid")

    skill_score: Points = Field(description="Tests the skill of its row, and not another row's.")
    level_score: Points = Field(
        description="Asks what a candidate of that level can be expected to do."
    )
    clarity_score: Points = Field(
        description="One situation, one thing asked, answerable in the time."
    )
    evidence_score: Points = Field(description="Names signs of a good answer that can be heard.")
    reason: str = Field(
        min_length=1,
        max_length=500,
        description="For each criterion below 3, what is missing and how to mend it.",
    )
    verdict: bool = Field(
        description="True if the points add up to at least 8 and no criterion has 0."
    )

    @computed_field
    @property
    def total(self) -> int:
        """Out of 12. The model is not asked for it, because computers add better."""
        return self.skill_score + self.level_score + self.clarity_score + self.evidence_score
