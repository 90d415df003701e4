"""Which settings does a file's text stand for?"""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from llm_assets.config.embed import EmbedSettings
from llm_assets.config.endpoint import (
    PRESETS,
    EndpointSettings,
    EndpointsFile,
    build_endpoint,
)
from llm_assets.config.field_problems import (
    build_field_problems,
    find_boolean_problems,
    render_value,
)
from llm_assets.config.llm import LLMSettings
from llm_assets.config.named_entries import build_document_error
from llm_assets.config.problems import START, KeyPath, Problem, build_config_error
from llm_assets.config.shape import (
    accepts_none,
    find_block,
    find_named_block,
    list_fields,
    takes_keys,
)
from llm_assets.config.yaml_text import YamlDocument, YamlValue, parse_yaml
from llm_assets.errors import ConfigError, suggest

SettingsT = TypeVar("SettingsT", bound=BaseModel)


def parse_endpoints(text: str, *, file: str) -> EndpointsFile:
    """The endpoints of one's own; `ConfigError` listing everything that is wrong with the file."""
    return parse_settings(EndpointsFile, parse_yaml(text, file=file))


def parse_settings(
    model: type[SettingsT], document: YamlDocument, *, others: Iterable[Problem] = ()
) -> SettingsT:
    """The document as a settings model; `others` are problems that the model itself does not see.

    A block whose keys are all commented out counts as not given. All mistakes are told at once, each with its
    line and column; `ConfigError`.
    """
    _refuse_gaps(document)
    settings = validate(model, document, others=others)
    if isinstance(settings, list):
        raise build_document_error(document, settings)
    return settings


def validate(
    model: type[SettingsT], document: YamlDocument, *, others: Iterable[Problem] = ()
) -> SettingsT | list[Problem]:
    """The document as a settings model, or everything that is wrong with it."""
    content = read_blocks(model, document)
    known = [*find_boolean_problems(model, document), *others]
    try:
        settings = model.model_validate(content)
    except ValidationError as exc:
        told = {problem.path for problem in known}
        fields = build_field_problems(exc, model=model, document=document)
        return known + [problem for problem in fields if problem.path not in told]
    return known or settings


def read_blocks(model: type[BaseModel], document: YamlDocument) -> dict[str, YamlValue]:
    """The document's content without the blocks whose keys are all commented out.

    `ConfigError` where it is no `key: value` lines.
    """
    content = {} if document.content is None else document.content
    if not isinstance(content, dict):
        raise _build_shape_error(model, document)
    return _drop_empty_blocks(model, content)


def _refuse_gaps(document: YamlDocument) -> None:
    problems = [
        Problem(
            position=document.find_position(path),
            path=path,
            what=f"a value has to be given here: {text}",
            remedy="`!required` is for task files alone.",
        )
        for path, text in document.required.items()
    ]
    if problems:
        raise build_config_error(document.file, problems)


def find_endpoint(
    llm: LLMSettings | EmbedSettings,
    own_endpoints: dict[str, EndpointSettings],
    *,
    at: KeyPath = ("llm",),
    document: YamlDocument,
) -> EndpointSettings:
    """The endpoint that the block `at` of a task names; `ConfigError` where there is none or it has no address."""
    name, path = llm.endpoint, (*at, "endpoint")
    endpoint = build_endpoint(name, own_endpoints)
    if endpoint is None:
        names = sorted({*PRESETS, *own_endpoints})
        hint = f"{suggest(name, names)} Known: {', '.join(names)}.".strip()
        what = f"there is no endpoint {name!r}."
        remedy = f"{hint} Your own ones stand in configs/endpoints.yaml."
    elif endpoint.base_url is None and endpoint.base_url_env is None:
        what = f"the endpoint {name!r} has no address."
        remedy = "Give it a `base_url`, a `base_url_env` or a `preset` in configs/endpoints.yaml."
    else:
        return endpoint
    position = document.find_position(path)
    problem = Problem(position=position, path=path, what=what, remedy=remedy)
    raise build_document_error(document, [problem])


def _drop_empty_blocks(
    model: type[BaseModel], content: dict[str, YamlValue]
) -> dict[str, YamlValue]:
    fields = list_fields(model)
    kept: dict[str, YamlValue] = {}
    for key, value in content.items():
        annotation = fields.get(key)
        block, entry = find_block(annotation), find_named_block(annotation)
        if value is None and takes_keys(annotation) and not accepts_none(annotation):
            continue
        if block and isinstance(value, dict):
            kept[key] = _drop_empty_blocks(block, value)
        else:
            kept[key] = _drop_in_entries(entry, value) if entry else value
    return kept


def _drop_in_entries(entry: type[BaseModel], value: YamlValue) -> YamlValue:
    """The same in a list of blocks, and in a block that names some of them."""
    if isinstance(value, list):
        return [
            _drop_empty_blocks(entry, each) if isinstance(each, dict) else each for each in value
        ]
    if isinstance(value, dict):
        return {
            name: _drop_empty_blocks(entry, each) if isinstance(each, dict) else each
            for name, each in value.items()
            if each is not None
        }
    return value


def _build_shape_error(model: type[BaseModel], document: YamlDocument) -> ConfigError:
    example = next(iter(list_fields(model)))
    what = f"the file has to hold `key: value` lines, and this is {render_value(document.content)}."
    remedy = f"Write a space after each colon, as in `{example}: …`."
    problem = Problem(position=START, what=what, remedy=remedy)
    return build_config_error(document.file, [problem])
