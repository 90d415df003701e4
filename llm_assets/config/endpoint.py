"""Which endpoints exist, how they are reached and what they can do."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from llm_assets.config.base import Settings

StructuredOutput = Literal["json_schema", "json_object", "prompt"]
"""How an answer is held to its schema, from strict decoding down to asking for it in the prompt."""

TokenParameter = Literal["max_tokens", "max_completion_tokens"]
PresetName = Literal[
    "openai", "azure", "gemini", "openrouter", "ollama", "vllm", "llama.cpp", "offline"
]


OFFLINE_URL = "http://offline.invalid/v1"
"""Where the built-in model is reached: an address that no network has."""


class PriceSettings(Settings):
    """What a million tokens cost, in US dollars."""

    input_usd: Annotated[Decimal, Field(ge=0)]
    """Per million prompt tokens."""
    output_usd: Annotated[Decimal, Field(ge=0)]
    """Per million completion tokens, reasoning tokens included."""
    cached_input_usd: Annotated[Decimal, Field(ge=0)] | None = None
    """Per million prompt tokens read from the provider's cache; the input price where it is not given."""


class EndpointSettings(Settings):
    """An OpenAI-compatible server."""

    preset: PresetName | None = None
    """The built-in endpoint whose values fill what is not given here."""
    base_url: str | None = None
    """The address up to and including the version, such as `http://127.0.0.1:8000/v1`."""
    base_url_env: str | None = None
    """The environment variable that holds the address, where it is no matter for a file."""
    api_key_env: str | None = None
    """The environment variable that holds the key; none for a server that asks for none."""
    structured_output: StructuredOutput = "prompt"
    """The strictest level that this server really enforces."""
    token_parameter: TokenParameter = "max_tokens"
    """What this server calls the cap on the length of an answer."""
    accepts_images: bool = False
    """Whether its models see image parts."""
    accepts_batches: bool = False
    """Whether it takes files of requests to answer within a day."""
    caches_prefixes: bool = False
    """Whether it reads a beginning that many prompts share from a cache, for less money or in less time."""
    min_cached_prefix_tokens: Annotated[int, Field(ge=1)] = 1024
    """The shortest beginning that it caches."""
    max_in_flight: Annotated[int, Field(ge=1)] = 64
    """The most requests it gets at once where the task does not say; how many it takes is found by trying."""
    price: PriceSettings | None = None
    """Overrides the published price of every model of this endpoint."""

    @property
    def is_offline(self) -> bool:
        """Whether the built-in model answers, in this process and without a network."""
        return self.base_url == OFFLINE_URL


PRESETS: dict[PresetName, EndpointSettings] = {
    "openai": EndpointSettings(
        base_url="https://api.openai.com/v1",
        api_key_env="OPENAI_API_KEY",
        structured_output="json_schema",
        token_parameter="max_completion_tokens",
        accepts_images=True,
        accepts_batches=True,
        caches_prefixes=True,
        max_in_flight=64,
    ),
    "azure": EndpointSettings(
        base_url_env="AZURE_OPENAI_BASE_URL",
        api_key_env="AZURE_OPENAI_API_KEY",
        structured_output="json_schema",
        token_parameter="max_completion_tokens",
        accepts_images=True,
        accepts_batches=True,
        caches_prefixes=True,
        max_in_flight=32,
    ),
    "gemini": EndpointSettings(
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        api_key_env="GEMINI_API_KEY",
        structured_output="json_schema",
        accepts_images=True,
        caches_prefixes=True,
        max_in_flight=32,
    ),
    "openrouter": EndpointSettings(
        base_url="https://openrouter.ai/api/v1",
        api_key_env="OPENROUTER_API_KEY",
        structured_output="json_object",
        accepts_images=True,
        caches_prefixes=True,
        max_in_flight=32,
    ),
    "ollama": EndpointSettings(
        base_url="http://127.0.0.1:11434/v1",
        structured_output="json_schema",
        accepts_images=True,
        max_in_flight=4,
        price=PriceSettings(input_usd=Decimal(0), output_usd=Decimal(0)),
    ),
    "vllm": EndpointSettings(
        base_url="http://127.0.0.1:8000/v1",
        structured_output="json_schema",
        caches_prefixes=True,
        max_in_flight=64,
        price=PriceSettings(input_usd=Decimal(0), output_usd=Decimal(0)),
    ),
    "llama.cpp": EndpointSettings(
        base_url="http://127.0.0.1:8080/v1",
        structured_output="json_object",
        max_in_flight=4,
        price=PriceSettings(input_usd=Decimal(0), output_usd=Decimal(0)),
    ),
    "offline": EndpointSettings(
        base_url=OFFLINE_URL,
        structured_output="json_schema",
        accepts_images=True,
        max_in_flight=16,
        price=PriceSettings(input_usd=Decimal(0), output_usd=Decimal(0)),
    ),
}
"""The endpoints that exist without any file. Servers on one's own machine cost no dollars a token."""


class EndpointsFile(Settings):
    """`configs/endpoints.yaml`: endpoints of one's own, by name."""

    endpoints: dict[str, EndpointSettings] = {}
    """A name used as `llm.endpoint` in a task, and what it stands for."""


def build_endpoint(
    name: str, own_endpoints: dict[str, EndpointSettings]
) -> EndpointSettings | None:
    """The endpoint called `name`; None where there is none.

    The person's own one comes first, filled up from its preset or from the built-in one of the same name.
    """
    own = own_endpoints.get(name)
    preset_name = (own.preset if own else None) or name
    preset = next((value for key, value in PRESETS.items() if key == preset_name), None)
    if own is None or preset is None:
        return own or preset
    given = {field: getattr(own, field) for field in own.model_fields_set}
    return preset.model_copy(update=given)
