"""What all calls of a step have in common, put together from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue

from llm_assets.config.endpoint import EndpointSettings, StructuredOutput
from llm_assets.config.grouping import Mode
from llm_assets.config.images import ImageSettings
from llm_assets.config.llm import JudgeSettings, LLMSettings
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.steps import ChainStep
from llm_assets.core.calls import CallSettings
from llm_assets.core.export_columns import ColumnKind, build_output_columns
from llm_assets.core.ids import StepName
from llm_assets.core.item_hooks import Hooks
from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.prompts import (
    GROUP_NAMES,
    JUDGE_NAMES,
    NO_NAMES,
    RESERVED_NAMES,
    ROW_NAMES,
    build_prompt,
)
from llm_assets.core.schema_fields import Schema
from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.step import Judge, Step
from llm_assets.core.strict_schema import (
    StrictSchema,
    Unsupported,
    build_response_format,
    build_strict_schema,
    decide_structured_output,
)
from llm_assets.core.text_form import build_text_form
from llm_assets.errors import ConfigError

_NAMES_BY_MODE: dict[Mode, frozenset[str]] = {
    "row": ROW_NAMES,
    "group_output": GROUP_NAMES,
    "row_output_with_group_context": ROW_NAMES | GROUP_NAMES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptNames:
    """What the prompts of a step can name of an item."""

    mode: Mode
    columns: tuple[str, ...]
    """The columns of a row in the order in which it is written out."""
    upstream: Mapping[StepName, Schema] | None = None
    """The schemas of what the earlier steps of a chain answer; None for a step that comes first."""


def build_step(
    settings: ChainStep,
    *,
    prompt: PromptSettings,
    prompt_path: str,
    endpoint: EndpointSettings,
    base_url: str,
    output_model: type[BaseModel],
    schema_text: str,
    names: PromptNames,
    judge: Judge | None,
    hooks: Hooks | None = None,
) -> Step:
    """Check the prompt against the names there are and fix everything that is the same for all items.

    Raises `ConfigError` for a prompt that names what the task does not have, for an output model that cannot be
    taken from a text where answers are to be text, and for pictures where the endpoint takes none.
    """
    is_text = settings.answer.kind == "text"
    _check_sight(settings.images, endpoint, name=settings.llm.endpoint)
    return Step(
        prompt=build_prompt(
            prompt,
            path=prompt_path,
            columns=names.columns,
            item_names=_list_names(names, hooks),
            llm_schema=schema_text,
            upstream=names.upstream,
            has_images=settings.images is not None,
        ),
        columns=names.columns,
        schema_text=schema_text,
        settings=build_call_settings(
            settings.llm,
            endpoint=endpoint,
            base_url=base_url,
            output_model=None if is_text else output_model,
        ),
        output_model=output_model,
        attempts=settings.attempts,
        max_output_tokens=settings.llm.max_output_tokens,
        judge=judge,
        name=None if settings.name is None else StepName(settings.name),
        after=tuple(map(StepName, settings.after)),
        upstream=tuple(map(StepName, settings.upstream)),
        text_form=build_text_form(output_model, settings.answer) if is_text else None,
        hooks=hooks,
        images=settings.images,
    )


def build_judge(
    settings: ChainStep,
    rules: JudgeSettings,
    *,
    prompt: PromptSettings,
    prompt_path: str,
    endpoint: EndpointSettings,
    base_url: str,
    verdict_model: type[BaseModel],
    names: PromptNames,
    hooks: Hooks | None = None,
) -> Judge:
    """Check the judge's prompt against the names there are, and that its model can hold a verdict.

    Raises `ConfigError` for a prompt that names what the task does not have, and for a model without the fields
    that `rules` names.
    """
    _check_verdict_model(verdict_model, rules)
    llm = settings.judge_llm
    images = settings.images if settings.images and settings.images.show_to_judge else None
    _check_sight(images, endpoint, name=llm.endpoint, of_judge=True)
    schema_text = build_schema_text({verdict_model.__name__: verdict_model})
    return Judge(
        schema_text=schema_text,
        prompt=build_prompt(
            prompt,
            path=prompt_path,
            columns=names.columns,
            item_names=_list_names(names, hooks) | JUDGE_NAMES,
            llm_schema=schema_text,
            upstream=names.upstream,
        ),
        settings=build_call_settings(
            llm, endpoint=endpoint, base_url=base_url, output_model=verdict_model
        ),
        verdict_model=verdict_model,
        rules=rules,
        max_output_tokens=llm.max_output_tokens,
        images=images,
    )


def _check_sight(
    images: ImageSettings | None, endpoint: EndpointSettings, *, name: str, of_judge: bool = False
) -> None:
    if images is None or endpoint.accepts_images:
        return
    blind = "the judge with `images.show_to_judge: false`, " if of_judge else ""
    raise ConfigError(
        f"The endpoint {name!r} takes no pictures, and `images` has some to show; nothing was sent.",
        remedy=f"Name another endpoint, {blind}or, where its model does see, say `accepts_images: true` of it in "
        "configs/endpoints.yaml.",
    )


def _list_names(names: PromptNames, hooks: Hooks | None) -> frozenset[str]:
    """What a prompt can use beside the columns; `ConfigError` where a hook would give a name that is taken."""
    given = NO_NAMES if hooks is None else hooks.names
    taken = sorted(given & RESERVED_NAMES.union(names.columns))
    if taken:
        raise ConfigError(
            f"`hooks.names` lists {', '.join(taken)}, which prompts know as something else; nothing was sent.",
            remedy="Give it another name, in the config and in the request hook.",
        )
    return _NAMES_BY_MODE[names.mode] | given


def _check_verdict_model(model: type[BaseModel], rules: JudgeSettings) -> None:
    """Look at what the model gives out: there a verdict may be computed, and a field have another name."""
    given_out = build_output_columns(build_json_schema(model, mode="serialization"), "json")
    kinds = {field.name: field.kind for field in given_out}
    wanted: dict[str, ColumnKind] = {rules.verdict_field: "boolean", rules.reason_field: "text"}
    for name, kind in wanted.items():
        if kinds.get(name) != kind:
            raise ConfigError(
                f"The judge's model {model.__name__!r} has no {kind} field {name!r}; nothing was sent.",
                remedy="Add it, or name the fields with `judge.verdict_field` and `judge.reason_field`.",
            )


def build_call_settings(
    llm: LLMSettings,
    *,
    endpoint: EndpointSettings,
    base_url: str,
    output_model: type[BaseModel] | None,
) -> CallSettings:
    """The part of a request that is the same for all calls; without a model to hold an answer to, free text."""
    given = {"temperature": llm.temperature, "top_p": llm.top_p, "seed": llm.seed}
    parameters: dict[str, JsonValue] = {
        name: value for name, value in given.items() if value is not None
    }
    response_format = None
    if output_model is not None:
        response_format = build_response_format(
            name=output_model.__name__,
            level=llm.structured_output or endpoint.structured_output,
            strict=build_strict_form(output_model),
        )
    return CallSettings(
        endpoint=base_url,
        model=llm.model,
        response_format=response_format,
        parameters={**parameters, **llm.extra},
        token_parameter=endpoint.token_parameter,
    )


def build_strict_form(output_model: type[BaseModel]) -> StrictSchema | Unsupported:
    """The form of a model's schema that providers decode strictly, or why there is none."""
    return build_strict_schema(build_json_schema(output_model))


def decide_level(
    llm: LLMSettings, endpoint: EndpointSettings, output_model: type[BaseModel]
) -> StructuredOutput:
    """How answers are really held to the schema."""
    wanted = llm.structured_output or endpoint.structured_output
    return decide_structured_output(wanted, build_strict_form(output_model))
