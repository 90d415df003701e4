"""What all calls of a task have in common: one step asks, and may have a judge."""

from dataclasses import dataclass

from pydantic import BaseModel

from llm_assets.config.task import AttemptSettings, JudgeSettings
from llm_assets.core.calls import CallSettings
from llm_assets.core.prompts import Prompt


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Who checks the valid answers of a step."""

    prompt: Prompt
    settings: CallSettings
    verdict_model: type[BaseModel]
    rules: JudgeSettings
    max_output_tokens: int | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """Everything about one kind of model call that is the same for all items."""

    prompt: Prompt
    columns: tuple[str, ...]
    """The columns of a row in the order in which it is written out."""
    schema_text: str
    """What the prompt knows as `llm_schema`."""
    settings: CallSettings
    output_model: type[BaseModel]
    attempts: AttemptSettings
    max_output_tokens: int | None
    judge: Judge | None
