"""How published records become vectors, so that those which are alike can be found."""

from typing import Annotated

from pydantic import Field, model_validator

from llm_assets.config.base import Settings
from llm_assets.config.endpoint import PriceSettings
from llm_assets.config.limits import LimitSettings


class EmbedSettings(Settings):
    """Which model makes the vectors, and of which text."""

    endpoint: str = "offline"
    """A built-in endpoint or one from `configs/endpoints.yaml`."""
    model: str = "hashed-words"
    """The embedding model's name as the endpoint knows it; has to be given for every other endpoint than `offline`."""
    dimensions: Annotated[int, Field(ge=1)] | None = None
    """How many numbers a vector has, for models that let one choose; the model's own number where it is not given."""
    text: str | None = None
    """The text that is embedded: a template over `input.<column>` and `output.<field>`.

    A value that is missing fails that record and no other.
    """
    fields: tuple[str, ...] = ()
    """In place of `text`: names such as `output.summary` or `input.title`, each on a line with its value.

    A value that is missing or empty is left out. Without `text` and `fields` it is all fields of the output.
    """
    price: PriceSettings | None = None
    """This model's price, before the endpoint's and the published one."""
    limits: LimitSettings | None = None
    """How fast the endpoint is asked; the task's own `limits` where the block is not given."""

    @model_validator(mode="after")
    def _say_one_thing(self) -> "EmbedSettings":
        if self.text is not None and self.fields:
            raise ValueError("give `text` or `fields`, not both")
        if self.endpoint != "offline" and "model" not in self.model_fields_set:
            raise ValueError(
                f"name the `model` that makes vectors at the endpoint {self.endpoint!r}"
            )
        wrong = [name for name in self.fields if not name.startswith(("input.", "output."))]
        if wrong:
            raise ValueError(
                f"`fields` holds {wrong[0]!r}; a name begins with `input.` or `output.`"
            )
        return self
