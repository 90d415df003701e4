"""What a prompt file can say."""

from typing import Literal

from pydantic import model_validator

from llm_assets.config.base import Settings

TemplateSyntax = Literal["jinja", "braces"]


class MessageSettings(Settings):
    """One turn of an example that is shown to the model."""

    role: Literal["system", "user", "assistant"]
    """Who speaks: `user` asks as the item will, `assistant` answers as the model should."""
    content: str
    """What is said; a template like `system` and `user`."""


class PromptSettings(Settings):
    """A prompt: templates for the turns that are sent, `system` first, then `messages`, then `user`."""

    system: str = ""
    """What holds for every item; put here what does not change, so that providers can cache it."""
    messages: tuple[MessageSettings, ...] = ()
    """Turns between `system` and `user`: worked examples, mostly. They may also be the whole prompt."""
    user: str | None = None
    """What is asked about one item; may be left out where `messages` ends with a turn of the user."""
    syntax: TemplateSyntax = "jinja"
    """`jinja` reads `{{ name }}`; `braces` reads `{name}`, where `{{` and `}}` stand for single braces."""

    @model_validator(mode="after")
    def _check_turns(self) -> "PromptSettings":
        roles = [message.role for message in self.messages]
        if self.user is None and roles[-1:] != ["user"]:
            raise ValueError("give `user`, or `messages` that end with a turn of the user")
        if "system" in (roles if self.system else roles[1:]):
            raise ValueError(
                "a turn of the system stands first: as `system` or as the first message"
            )
        return self
