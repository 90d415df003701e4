"""How are the entries of a list found by their names, where a block stands in the place of the list?

`steps: {reply: {llm: {model: m}}}` says something about one step of a list that another document holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel

from llm_assets.config.field_problems import render_value
from llm_assets.config.problems import KeyPath, Problem, build_config_error
from llm_assets.config.shape import find_named_block, list_fields
from llm_assets.config.yaml_text import YamlDocument, YamlValue
from llm_assets.errors import ConfigError, suggest

PlacedT = TypeVar("PlacedT")
Names = tuple[str, ...]


def find_named_lists(
    model: type[BaseModel], below: Mapping[str, YamlValue], above: Mapping[str, YamlValue]
) -> dict[str, Names]:
    """The keys at which a block of `above` is about a list of `below`, each with the names of its entries."""
    keys = [key for key, annotation in list_fields(model).items() if find_named_block(annotation)]
    return {key: _list_names(below.get(key)) for key in keys if isinstance(above.get(key), dict)}


def check_entries(above: YamlDocument, lists: Mapping[str, Names]) -> None:
    """Make sure that `above` holds a block for each entry it names, and that there is one; `ConfigError` lists the others."""
    problems = [*_find_unknown(above, lists), *_find_values(above, lists)]
    if problems:
        raise build_config_error(above.file, problems)


def open_list(document: YamlDocument, key: str, names: Names) -> YamlDocument:
    """The document with the list at `key` as a block, its entries under their names."""
    content = get_block(document.content)
    entries = content.get(key)
    block = dict(zip(names, entries, strict=True)) if isinstance(entries, list) else {}
    return _move(document, key, dict(enumerate(names)), block)


def close_list(document: YamlDocument, key: str, names: Names) -> YamlDocument:
    """The document with the list again, as it was before it was opened."""
    block = get_block(get_block(document.content).get(key))
    return _move(
        document,
        key,
        dict(zip(names, range(len(names)), strict=True)),
        [block[name] for name in names],
    )


def name_entries(document: YamlDocument, path: KeyPath) -> KeyPath:
    """The path of a value as a person sets it: an entry of a list by its name, where it has one of its own."""
    match path:
        case (str(key), int(place), *rest):
            names = _list_names(get_block(document.content).get(key))
            is_named = place < len(names) and names[place] != _name_place(place)
            return (key, names[place], *rest) if is_named else path
        case _:
            return path


def build_document_error(document: YamlDocument, problems: Iterable[Problem]) -> ConfigError:
    """One error for all problems of a document; entries that it calls by name are called so."""
    return build_config_error(
        document.file,
        [
            replace(problem, path=name_entries(document, problem.path))
            if problem.path[:2] in document.keys
            else problem
            for problem in problems
        ],
    )


def _find_unknown(above: YamlDocument, lists: Mapping[str, Names]) -> Iterator[Problem]:
    content = get_block(above.content)
    for key, names in lists.items():
        there_is = f"There is: {', '.join(names)}." if names else f"There are no `{key}`."
        for name in get_block(content[key]):
            if name not in names:
                yield Problem(
                    position=above.find_position((key, name), of="key"),
                    path=(key, name),
                    what="there is none of this name.",
                    remedy=f"{suggest(name, names)} {there_is}".strip(),
                )


def _find_values(above: YamlDocument, lists: Mapping[str, Names]) -> Iterator[Problem]:
    content = get_block(above.content)
    for key, names in lists.items():
        for name, value in get_block(content[key]).items():
            if name in names and not isinstance(value, dict | None):
                yield Problem(
                    position=above.find_position((key, name)),
                    path=(key, name),
                    what=f"expected a block with keys, got {render_value(value)}.",
                )


def _list_names(entries: YamlValue) -> Names:
    """What each entry is called; one without a name, or with that of an earlier one, by its place."""
    names: list[str] = []
    for place, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("name") if isinstance(entry, dict) else None
        names.append(name if isinstance(name, str) and name not in names else _name_place(place))
    return tuple(names)


def _name_place(place: int) -> str:
    return f"[{place}]"


def _move(
    document: YamlDocument,
    key: str,
    places: Mapping[str | int, str | int],
    value: YamlValue,
) -> YamlDocument:
    """The document with another value at `key`, and everything inside of it at other places."""

    def move(placed: Mapping[KeyPath, PlacedT]) -> Mapping[KeyPath, PlacedT]:
        return MappingProxyType({_move_path(path, key, places): it for path, it in placed.items()})

    return replace(
        document,
        content={**get_block(document.content), key: value},
        keys=move(document.keys),
        values=move(document.values),
        required=move(document.required),
    )


def _move_path(path: KeyPath, key: str, places: Mapping[str | int, str | int]) -> KeyPath:
    if len(path) < 2 or path[0] != key:
        return path
    return (key, places.get(path[1], path[1]), *path[2:])


def get_block(value: YamlValue) -> Mapping[str, YamlValue]:
    """The keys of a block; none where the value is something else."""
    return value if isinstance(value, dict) else {}
