"""Which keys and types may stand at a place of a settings model?"""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llm_assets.config.problems import KeyPath


def list_fields(model: type[BaseModel]) -> dict[str, object]:
    """The keys as a person writes them, each with its type."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def find_field(model: type[BaseModel] | None, key: str) -> FieldInfo | None:
    """The field that a person writes as `key`; None where there is none."""
    fields = model.model_fields if model else {}
    return next((field for name, field in fields.items() if (field.alias or name) == key), None)


def find_block(annotation: object) -> type[BaseModel] | None:
    """The settings model that a type stands for, optional or not."""
    core = _strip(annotation)
    return core if isinstance(core, type) and issubclass(core, BaseModel) else None


def find_named_block(annotation: object) -> type[BaseModel] | None:
    """The settings model of a list's entries, where each of them has a name."""
    core = _strip(annotation)
    block = find_block(get_args(core)[0]) if get_origin(core) in {tuple, list} else None
    return block if block and "name" in list_fields(block) else None


def takes_keys(annotation: object) -> bool:
    """Whether `key: value` lines stand under a setting of this type."""
    return find_block(annotation) is not None or get_origin(_strip(annotation)) is dict


def find_type(model: type[BaseModel], path: KeyPath) -> object:
    """The type at `path` without optionality and annotations; None where nothing may stand."""
    current: object = model
    for part in path:
        current = _step(_strip(current), part)
    return _strip(current)


def list_choices(annotation: object) -> tuple[str, ...]:
    """The values of a closed choice; none for other types."""
    core = _strip(annotation)
    return tuple(map(str, get_args(core))) if get_origin(core) is Literal else ()


def accepts_none(annotation: object) -> bool:
    """Whether an empty value is a value of this type."""
    return annotation is NoneType or any(
        accepts_none(part) for part in get_args(annotation) if _is_union(annotation)
    )


def find_blocks_with(
    model: type[BaseModel], key: str, *, inside: KeyPath = ()
) -> Iterator[KeyPath]:
    """The paths of all blocks that take `key`, outer ones first."""
    fields = list_fields(model)
    if key in fields:
        yield inside
    for name, annotation in fields.items():
        block = find_block(annotation)
        if block:
            yield from find_blocks_with(block, key, inside=(*inside, name))


def _step(annotation: object, part: str | int) -> object:
    block = find_block(annotation)
    if block:
        return list_fields(block).get(str(part))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return arguments[1]
    return arguments[0] if origin in {tuple, list} else None


def _strip(annotation: object) -> object:
    if get_origin(annotation) is Annotated:
        return _strip(get_args(annotation)[0])
    if _is_union(annotation):
        others = [part for part in get_args(annotation) if part is not NoneType]
        return _strip(others[0]) if len(others) == 1 else annotation
    return annotation


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in {Union, UnionType}
