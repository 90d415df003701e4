"""Which model is asked, how often, and who checks its answers."""

from typing import Annotated

from pydantic import Field

from llm_assets.config.base import FreeValue, Settings
from llm_assets.config.endpoint import PriceSettings, StructuredOutput

_FIELDS_OF_A_MODEL = ("model", "price", "structured_output")
"""What is the same wherever a task asks the same model; parameters may differ from use to use."""


class LLMSettings(Settings):
    """Which model answers, and how it is asked."""

    endpoint: str = "offline"
    """A built-in endpoint or one from `configs/endpoints.yaml`."""
    model: str = "extractive"
    """The model's name as the endpoint knows it."""
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    """The cap on an answer's length; the server's own where it is not given."""
    structured_output: StructuredOutput | None = None
    """A lower level than the endpoint's own, where a model cannot keep to it."""
    extra: dict[str, FreeValue] = {}
    """Parameters of the provider's own, sent as they are."""
    price: PriceSettings | None = None
    """This model's price, before the endpoint's and the published one."""


class AttemptSettings(Settings):
    """How often an item may ask again before it counts as not answered."""

    attempts: Annotated[int, Field(ge=1)] = 3
    """Calls for one item, the first included; each tells the model what was wrong with the one before."""
    retry_failed: bool = True
    """Whether a new run gives items without an accepted output fresh attempts."""
    share_identical: bool = True
    """Whether equal requests share one call; `false` asks for each row, also where two rows are equal."""
    max_output_tokens_on_retry: Annotated[int, Field(ge=1)] | None = None
    """The cap for attempts after a cut-off answer; twice the first one where it is not given."""


class JudgeSettings(Settings):
    """Who checks a valid answer before it counts."""

    prompt: str
    """The judge's prompt file; it sees the row's names, and the answer as `output` and `output_json`."""
    llm: LLMSettings | None = None
    """The judge's model and its parameters; those of the model that answers where the block is not given.

    A block without an `endpoint` means the task's own, and without a `model`, too, the task's own.
    """
    retries: Annotated[int, Field(ge=0)] = 1
    """How often an item is asked again with the judge's reason before it counts as rejected.

    These calls do not count as `attempts`, which are about answers that are not valid.
    """
    attempts: Annotated[int, Field(ge=1)] = 2
    """Calls for one verdict, the first included, where the judge's own answer is not valid."""
    verdict_field: str = "verdict"
    """The boolean field of the judge's model that says whether the answer is accepted."""
    reason_field: str = "reason"
    """The text field of the judge's model that says why; a rejection hands it to the next attempt."""


def find_judge_llm(judge: JudgeSettings | None, llm: LLMSettings) -> LLMSettings:
    """How a judge is asked, where `llm` is the model whose answers it checks.

    An endpoint that is not named must not fall back to the default: verdicts would come from the offline model.
    """
    own = None if judge is None else judge.llm
    if own is None:
        return llm
    given = own.model_fields_set
    if "endpoint" in given:
        return own
    shared = ("endpoint",) if "model" in given else ("endpoint", *_FIELDS_OF_A_MODEL)
    return own.model_copy(update={name: getattr(llm, name) for name in shared if name not in given})


def fill_llm(own: LLMSettings | None, llm: LLMSettings) -> LLMSettings:
    """How a step is asked: what it does not say is as the task's own model has it.

    Another endpoint shares nothing with it, and another model neither its price nor what it can be held to.
    """
    if own is None:
        return llm
    given = own.model_fields_set
    if "endpoint" in given and own.endpoint != llm.endpoint:
        return own
    is_same = "model" not in given or own.model == llm.model
    kept = given if is_same else given | {"price", "structured_output"}
    return llm.model_copy(
        update={name: getattr(own, name) for name in LLMSettings.model_fields if name in kept}
    )


def fill_attempts(own: AttemptSettings | None, attempts: AttemptSettings) -> AttemptSettings:
    """How often a step asks: what it does not say is as the task has it."""
    if own is None:
        return attempts
    return attempts.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
