"""What a prompt file can say."""

from llm_assets.config.base import Settings


class PromptSettings(Settings):
    """A prompt: Jinja2 templates for the turns that are sent."""

    system: str = ""
    """What holds for every item; put here what does not change, so that providers can cache it."""
    user: str
    """What is asked about one item."""
