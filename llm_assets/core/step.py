"""What all calls of a step have in common: it asks, and may have a judge."""

from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from llm_assets.config.images import ImageSettings
from llm_assets.config.task import AttemptSettings, JudgeSettings
from llm_assets.core.calls import CallSettings
from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import Sha256, StepName
from llm_assets.core.item_hooks import Hooks
from llm_assets.core.prompts import Prompt
from llm_assets.core.text_form import RecordField


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Who checks the valid answers of a step."""

    prompt: Prompt
    schema_text: str
    settings: CallSettings
    verdict_model: type[BaseModel]
    rules: JudgeSettings
    max_output_tokens: int | None
    images: ImageSettings | None = None
    """How it is shown an item's pictures; None where it sees none."""

    @cached_property
    def schema_sha256(self) -> Sha256:
        """The hash of what the judge is told about a verdict."""
        return fingerprint_text(self.schema_text)


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
    name: StepName | None = None
    """None for the only step of a task."""
    after: tuple[StepName, ...] = ()
    """The steps it comes directly after."""
    upstream: tuple[StepName, ...] = ()
    """All steps whose accepted outputs it needs, in the order in which they run."""
    text_form: RecordField | None = None
    """What is taken from a text answer; None where answers are JSON. It reads answers and shapes no call."""
    hooks: Hooks | None = None
    """The functions of the project that look at every item."""
    images: ImageSettings | None = None
    """How the model is shown an item's pictures; None where there are none."""

    @property
    def prompt_names(self) -> frozenset[str]:
        """The names of an item that the prompts use, the judge's included."""
        own = self.prompt.names
        return own if self.judge is None else own | self.judge.prompt.names

    @property
    def can_part_items(self) -> bool:
        """Whether items that share a call may part at the next one: a judge or a hook sees more of them."""
        return self.judge is not None or self.hooks is not None

    @cached_property
    def schema_sha256(self) -> Sha256:
        """The hash of what the model is told about an answer."""
        return fingerprint_text(self.schema_text)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person could mend in its prompts."""
        return self.prompt.warnings + (self.judge.prompt.warnings if self.judge else ())
