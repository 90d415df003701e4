"""Reads task files from texts, as a project reads them."""

from llm_assets.config.gaps import parse_with_gaps
from llm_assets.config.step_problems import find_step_problems
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import YamlDocument, parse_yaml


def parse_task(text: str, *, file: str) -> TaskSettings:
    """The settings of a task file; `ConfigError` listing everything that is wrong with it."""
    return parse_task_document(parse_yaml(text, file=file))


def parse_task_document(document: YamlDocument) -> TaskSettings:
    """The same of a text that was read already."""
    return parse_with_gaps(TaskSettings, document, find_others=find_step_problems)
