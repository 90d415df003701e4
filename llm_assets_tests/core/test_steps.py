from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, create_model

from llm_assets.config.endpoint import PRESETS, EndpointSettings
from llm_assets.config.grouping import Mode
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import LLMSettings, TaskSettings
from llm_assets.core.steps import PromptNames, build_call_settings, build_step, decide_level
from llm_assets.errors import ConfigError
from llm_assets_tests.core.builders import Label

OPENAI = PRESETS["openai"]


class FreeLabel(BaseModel):
    """A label whose details have free keys, which no strict form can say."""

    model_config = ConfigDict(extra="forbid")

    details: dict[str, str]


def build_settings(
    llm: LLMSettings | None = None,
    *,
    endpoint: EndpointSettings = OPENAI,
    output_model: type[BaseModel] | None = Label,
):
    return build_call_settings(
        llm or LLMSettings(),
        endpoint=endpoint,
        base_url="http://e.invalid/v1",
        output_model=output_model,
    )


def build(user, *, mode: Mode = "row", system=""):
    return build_step(
        TaskSettings(prompt="p.yaml").chain[0],
        prompt=PromptSettings(user=user, system=system),
        prompt_path="prompts/p.yaml",
        endpoint=OPENAI,
        base_url="http://e.invalid/v1",
        output_model=Label,
        schema_text="{}",
        names=PromptNames(mode=mode, columns=("text", "team")),
        judge=None,
    )


@pytest.mark.parametrize(
    ("mode", "name", "is_known"),
    [
        ("row", "text", True),
        ("row", "row", True),
        ("row", "row_block", True),
        ("row", "group_key", False),
        ("row", "group_context", False),
        ("group_output", "text", False),
        ("group_output", "row", False),
        ("group_output", "row_block", False),
        ("group_output", "group_key", True),
        ("group_output", "group_context", True),
        ("row_output_with_group_context", "text", True),
        ("row_output_with_group_context", "row_block", True),
        ("row_output_with_group_context", "group_context", True),
        ("row", "llm_schema", True),
        ("group_output", "llm_schema", True),
        ("row", "output", False),
    ],
)
def test_names_of_a_mode(mode, name, is_known):
    """A prompt can name what an item of the mode has, and nothing else."""
    if is_known:
        assert build(f"{{{{ {name} }}}}", mode=mode).prompt.names == {name}
    else:
        with pytest.raises(ConfigError, match=name):
            build(f"{{{{ {name} }}}}", mode=mode)


def test_only_given_parameters_are_sent():
    """What a person left out is left to the server; what is 0 is given."""
    assert build_settings().parameters == {}
    given = LLMSettings(temperature=0, seed=0, extra={"reasoning_effort": "low", "seed": 7})
    assert build_settings(given).parameters == {
        "temperature": 0.0,
        "seed": 7,
        "reasoning_effort": "low",
    }


def test_address_and_not_the_name_of_an_endpoint():
    """An endpoint can be renamed without a new call; its limits and price don't count either."""
    renamed = OPENAI.model_copy(update={"max_in_flight": 1, "accepts_images": False})
    assert build_settings(LLMSettings(endpoint="a")) == build_settings(
        LLMSettings(endpoint="b"), endpoint=renamed
    )


@pytest.mark.parametrize(
    ("wanted", "output_model", "level", "sent"),
    [
        (None, Label, "json_schema", "json_schema"),
        (None, FreeLabel, "json_object", "json_object"),
        ("json_object", Label, "json_object", "json_object"),
        ("prompt", Label, "prompt", None),
        ("prompt", FreeLabel, "prompt", None),
    ],
)
def test_level_of_structured_output(wanted, output_model, level, sent):
    """What is said of the level is what is sent: strict where there is a strict form, else the level below."""
    llm = LLMSettings(structured_output=wanted)
    assert decide_level(llm, OPENAI, output_model) == level
    response_format = build_settings(llm, output_model=output_model).response_format
    assert (response_format or {}).get("type") == sent


def test_free_text_has_no_response_format():
    """Without a model to hold the answer to, none is asked for."""
    assert build_settings(output_model=None).response_format is None


def test_same_schema_of_another_module_is_the_same_call():
    """A comment in the schema module gives it another name, and changes no call."""
    twins = []
    for digest in ("aa11", "bb22"):
        module = f"llm_assets_schema_{digest}"
        inner = [
            create_model("Part", __module__=module, __qualname__=f"{outer}.Part", value=(int, ...))
            for outer in ("One", "Two")
        ]
        twins.append(
            create_model("Output", __module__=module, one=(inner[0], ...), two=(inner[1], ...))
        )
    fingerprints = {build_settings(output_model=twin).fingerprint for twin in twins}
    assert len(fingerprints) == 1


def test_order_and_words_of_a_schema_are_part_of_the_call():
    """A model fills fields in their order, and reads their descriptions."""
    first = create_model("Output", reason=(str, ...), label=(Literal["a", "b"], ...))
    swapped = create_model("Output", label=(Literal["a", "b"], ...), reason=(str, ...))
    choices = create_model("Output", reason=(str, ...), label=(Literal["b", "a"], ...))
    fingerprints = {
        build_settings(output_model=model).fingerprint for model in (first, swapped, choices)
    }
    assert len(fingerprints) == 3
