"""What a prompt file says."""

from pathlib import Path

from llm_assets.config.parsing import parse_settings
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.yaml_text import parse_yaml
from llm_assets.gateways.text_files import read_text_file


def load_prompt(path: Path, *, shown: str) -> PromptSettings:
    """Read a prompt file; `ConfigError` names the file, the line and what is wrong."""
    text = read_text_file(path, shown=shown, purpose="prompt file")
    return parse_settings(PromptSettings, parse_yaml(text, file=shown))
