from typing import Literal

from pydantic import BaseModel, Field


class LLMOutput(BaseModel):
    """What a customer's message asks for."""

    topic: Literal["repair", "order", "rental", "other"]
    urgency: Literal["today", "this_week", "later"] = Field(
        description="`today` where somebody cannot ride home or could come to harm."
    )
    summary: str = Field(min_length=1, max_length=160, description="The message in one sentence.")
