"""What do two documents say when one is laid over the other?

A variant over the task it extends, what is set for one run over both. Every value keeps the place it comes from, so
that a mistake is told where it was made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from pydantic import BaseModel

from llm_assets.config.named_entries import (
    check_entries,
    close_list,
    find_named_lists,
    get_block,
    open_list,
)
from llm_assets.config.parsing import read_blocks
from llm_assets.config.problems import KeyPath, Position
from llm_assets.config.yaml_text import YamlDocument, YamlValue


def lay_over(model: type[BaseModel], below: YamlDocument, above: YamlDocument) -> YamlDocument:
    """The document whose blocks hold the keys of both; where both have a value, that of `above` counts.

    A block of `above` whose keys are all commented out changes nothing. A block in the place of a list whose entries
    have names is about the entries of these names. The result bears the name of `above`.
    `ConfigError` where one of them is no `key: value` lines, and for a name that no entry has.
    """
    base, own = read_blocks(model, below), read_blocks(model, above)
    lists = find_named_lists(model, base, own)
    check_entries(above, lists)
    below, above = replace(below, content=base), replace(above, content=own)
    for key, names in lists.items():
        below = open_list(below, key, names)
    merged = _lay(below, above)
    for key, names in lists.items():
        merged = close_list(merged, key, names)
    return merged


def _lay(below: YamlDocument, above: YamlDocument) -> YamlDocument:
    base, own = get_block(below.content), get_block(above.content)
    replaced = frozenset(_list_replaced(base, own))
    required = {
        path: text for path, text in below.required.items() if not _is_inside(path, replaced)
    }
    return YamlDocument(
        file=above.file,
        content=_merge(base, own),
        keys=_merge_places(below.keys, above.keys, file=below.file, replaced=replaced),
        values=_merge_places(below.values, above.values, file=below.file, replaced=replaced),
        required=MappingProxyType({**required, **above.required}),
    )


def _merge(below: Mapping[str, YamlValue], above: Mapping[str, YamlValue]) -> dict[str, YamlValue]:
    merged = dict(below)
    for key, value in above.items():
        base = merged.get(key)
        if isinstance(value, dict) and isinstance(base, dict):
            merged[key] = _merge(base, value)
        else:
            merged[key] = value
    return merged


def _list_replaced(
    below: Mapping[str, YamlValue], above: Mapping[str, YamlValue], path: KeyPath = ()
) -> Iterator[KeyPath]:
    """The places of `below` of which nothing is left."""
    for key in above.keys() & below.keys():
        base, own = below[key], above[key]
        if isinstance(base, dict) and isinstance(own, dict):
            yield from _list_replaced(base, own, (*path, key))
        else:
            yield (*path, key)


def _merge_places(
    below: Mapping[KeyPath, Position],
    above: Mapping[KeyPath, Position],
    *,
    file: str,
    replaced: frozenset[KeyPath],
) -> Mapping[KeyPath, Position]:
    kept = {
        path: position if position.file else position._replace(file=file)
        for path, position in below.items()
        if not _is_inside(path, replaced)
    }
    return MappingProxyType({**kept, **above})


def _is_inside(path: KeyPath, replaced: frozenset[KeyPath]) -> bool:
    return any(path[:length] in replaced for length in range(1, len(path) + 1))
