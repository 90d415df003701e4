from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Mention(BaseModel):
    """Something that a document names."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120, description="As the document writes it.")
    role: str = Field(
        min_length=1,
        max_length=160,
        description="What it has to do with the matter, in a few words of the document.",
    )


class Occasion(BaseModel):
    """A day or a deadline."""

    model_config = ConfigDict(extra="forbid")

    day: str = Field(min_length=1, max_length=60, description="As the document writes it.")
    event: str = Field(
        min_length=1, max_length=160, description="What happens then, or until then."
    )


class Entities(BaseModel):
    """What a document names."""

    model_config = ConfigDict(extra="forbid")

    people: list[Mention] = Field(max_length=20, description="Natural persons, each once.")
    organizations: list[Mention] = Field(
        max_length=20, description="Companies, offices, associations and boards, each once."
    )
    dates: list[Occasion] = Field(max_length=20, description="Days and deadlines, each once.")
    topics: list[str] = Field(
        min_length=1,
        max_length=6,
        description="What the document is about, in one to three words each.",
    )


class Summary(BaseModel):
    """What a document says."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(
        min_length=1,
        max_length=600,
        description="Two or three plain sentences: who, what, by when.",
    )
    main_actor: Mention = Field(
        description="The person or organization that acts, out of those that were extracted."
    )


class Classification(BaseModel):
    """What kind of document it is."""

    model_config = ConfigDict(extra="forbid")

    category: Literal[
        "contract", "invoice", "minutes", "incident_report", "application", "complaint", "notice"
    ] = Field(description="The kind by what the document is for, not by what it mentions.")
    confidence: float = Field(
        ge=0,
        le=1,
        description="How likely an experienced registrar would choose the same kind, from 0 to 1.",
    )
