"""Which values has a person still to give, and what stands in for them until then?

A task with gaps is shown like every other one, so its settings are filled with what does no harm; whoever runs it
asks for the values first.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel

from llm_assets.config.named_entries import build_document_error, name_entries
from llm_assets.config.parsing import parse_settings, read_blocks, validate
from llm_assets.config.problems import KeyPath, Problem, render_path
from llm_assets.config.shape import find_block, find_field, find_type
from llm_assets.config.yaml_text import YamlDocument, YamlValue

SettingsT = TypeVar("SettingsT", bound=BaseModel)
STAND_IN = "(to be given)"
"""In place of a text."""
STAND_IN_NUMBER = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A value that a person has still to give."""

    path: KeyPath
    name: str
    """As a person sets it, such as `llm.model` or `steps.reply.llm.model`."""
    text: str
    """What the file says about it."""
    place: str
    """Where the file says so."""


def list_gaps(document: YamlDocument) -> tuple[Gap, ...]:
    """The gaps in the order in which they stand in their files."""
    places = {path: document.find_position(path) for path in document.required}
    return tuple(
        Gap(
            path=path,
            name=render_path(name_entries(document, path)),
            text=document.required[path],
            place=document.render_place(path),
        )
        for path in sorted(places, key=lambda path: (places[path].file, places[path]))
    )


FindProblems = Callable[[YamlDocument], Iterable[Problem]]


def parse_with_gaps(
    model: type[SettingsT], document: YamlDocument, *, find_others: FindProblems = lambda _: ()
) -> SettingsT:
    """The settings, with something harmless in the place of what is still to be given.

    `ConfigError` for everything that is wrong with the document beside that; `find_others` finds what the model
    itself does not see.
    """
    gaps = [path for path in document.required if find_type(model, path) is not None]
    content = deepcopy(read_blocks(model, document))
    filled = replace(document, required=MappingProxyType({}), content=content)
    if not gaps:
        return parse_settings(model, filled, others=find_others(filled))
    for path in gaps:
        _fill(content, path, model)
    settings = validate(model, filled, others=find_others(filled))
    if not isinstance(settings, list):
        return settings
    others = [problem for problem in settings if not _is_about(problem.path, gaps)]
    if others:
        raise build_document_error(document, others)
    # What is missing makes the rest of its block wrong, so that nothing can be said about either yet.
    for path in gaps:
        _drop_block(content, path)
    return parse_settings(model, filled)


def _drop_block(content: dict[str, YamlValue], path: KeyPath) -> None:
    """Take out the block that a gap stands in; of a list, the block inside of the entry."""
    *around, key = path[:3] if path[1:] and isinstance(path[1], int) else path[:1]
    block: YamlValue = content
    for part in around:
        block = _step_into(block, part)
    if len(path) > len(around) + 1 and isinstance(block, dict):
        block.pop(str(key), None)


def _is_about(path: KeyPath, gaps: Iterable[KeyPath]) -> bool:
    """Whether a problem concerns a value that is missing, or a block around it."""
    return any(gap[: len(path)] == path for gap in gaps)


def _fill(content: dict[str, YamlValue], path: KeyPath, model: type[BaseModel]) -> None:
    *around, last = path
    block: YamlValue = content
    for part in around:
        block = _step_into(block, part)
    if isinstance(block, list) and isinstance(last, int):
        block[last] = STAND_IN
    elif isinstance(block, dict):
        field = find_field(find_block(find_type(model, path[:-1])), str(last))
        has_default = field is not None and not field.is_required() and field.default is not None
        kind = find_type(model, path)
        if (kind is str or kind is float) and not has_default:
            block[str(last)] = STAND_IN if kind is str else STAND_IN_NUMBER
        else:
            block.pop(str(last), None)


def _step_into(block: YamlValue, part: str | int) -> YamlValue:
    if isinstance(block, dict):
        return block.get(str(part))
    return block[part] if isinstance(block, list) and isinstance(part, int) else None
