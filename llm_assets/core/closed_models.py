"""How every model of a schema module comes to forbid unknown fields."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, RootModel, create_model
from pydantic.dataclasses import rebuild_dataclass

from llm_assets.core.json_schema import DEFS_PREFIX, JsonObject, build_json_schema
from llm_assets.errors import ConfigError

_KINDS_WITH_FIELDS = frozenset({"model", "dataclass", "typed-dict"})
_VALUES_NOT_SCHEMAS = frozenset({"default", "expected", "metadata", "config"})


def close_models(models: Iterable[type[BaseModel]], *, module_name: str, shown_path: str) -> None:
    """Add `extra="forbid"` to the models and to all that they are built of, in place.

    The classes are changed and not subclassed: a nested model is reached through the annotations of others, and
    those would go on naming the open class.

    Args:
        models: Complete models of one freshly imported module.
        module_name: Where a class has to come from to be ours to change.
        shown_path: The module's file, for messages.

    Raises `ConfigError` for a model that says `extra="allow"` or `"ignore"` itself, and for an open one that was
    imported from elsewhere.
    """
    roots = tuple(models)
    classes = _find_classes(roots)
    for cls in classes:
        _close(cls, module_name=module_name, shown_path=shown_path)
    for _ in (
        classes
    ):  # a rebuilt model embeds what its neighbours were; in a ring of n that takes n rounds
        if all(_find_open_class(root) is None for root in roots):
            return
        for cls in classes:
            _rebuild(cls)
    _check_closed(roots, shown_path=shown_path)


def build_object_model(model: type[BaseModel]) -> type[BaseModel]:
    """The model itself, or where its answers are lists, texts or unions, an object with them as `value`.

    Providers take only objects as structured output, and every stage after this one keeps an answer by its fields.
    """
    schema = build_json_schema(model)
    ref = str(schema.get("$ref", "")).removeprefix(DEFS_PREFIX)
    definitions = cast("dict[str, JsonObject]", schema.get("$defs", {}))
    if definitions.get(ref, schema).get("type") == "object":
        return model
    return create_model(
        model.__name__,
        __config__=ConfigDict(extra="forbid"),
        __module__=model.__module__,
        value=(model, ...),
    )


def _find_classes(models: Iterable[type[BaseModel]]) -> tuple[type, ...]:
    """Every class with fields that the models are built of, what is embedded before what embeds it."""
    nodes = (node for model in models for node in _iter_nodes(model.__pydantic_core_schema__))
    return tuple(dict.fromkeys(cast("type", node["cls"]) for node in nodes if "cls" in node))


def _iter_nodes(schema: object) -> Iterator[dict[str, object]]:
    """The parts of a core schema that stand for something with fields, innermost first."""
    if isinstance(schema, list | tuple):
        for child in cast("Iterable[object]", schema):
            yield from _iter_nodes(child)
    elif isinstance(schema, dict):
        node = cast("dict[str, object]", schema)
        for key, child in node.items():
            if key not in _VALUES_NOT_SCHEMAS:
                yield from _iter_nodes(child)
        if node.get("type") in _KINDS_WITH_FIELDS:
            yield node


def _close(cls: type[Any], *, module_name: str, shown_path: str) -> None:
    if issubclass(cls, RootModel):  # it has no fields
        return
    attribute = "model_config" if issubclass(cls, BaseModel) else "__pydantic_config__"
    config = cast("dict[str, object] | None", getattr(cls, attribute, None))
    if config is None:  # a plain dataclass or typed dict takes on the config of the model around it
        return
    extra = config.get("extra")
    if extra == "forbid":
        return
    if extra is not None:
        raise ConfigError(
            f"{shown_path}: model {cls.__name__!r} says extra={extra!r}, but an answer may hold only the fields that "
            "its schema names.",
            remedy="Take `extra` out; give free keys a field of their own, such as `dict[str, str]`.",
        )
    if cls.__module__ != module_name:
        raise _build_open_error(cls, shown_path=shown_path)
    setattr(cls, attribute, {**config, "extra": "forbid"})


def _rebuild(cls: type[Any]) -> None:
    if issubclass(cls, BaseModel):
        cls.model_rebuild(force=True)
    elif hasattr(cls, "__pydantic_validator__"):  # a Pydantic dataclass
        rebuild_dataclass(cls, force=True)


def _check_closed(models: Iterable[type[BaseModel]], *, shown_path: str) -> None:
    for model in models:
        cls = _find_open_class(model)
        if cls is not None:
            raise _build_open_error(cls, shown_path=shown_path)


def _find_open_class(model: type[BaseModel]) -> type | None:
    for node in _iter_nodes(model.__pydantic_core_schema__):
        config = cast("dict[str, object]", node.get("config") or {})
        if not node.get("root_model") and "forbid" not in (
            node.get("extra_behavior"),
            config.get("extra_fields_behavior"),
        ):
            return cast("type", node.get("cls", model))
    return None


def _build_open_error(cls: type[Any], *, shown_path: str) -> ConfigError:
    return ConfigError(
        f"{shown_path}: {cls.__name__!r} takes unknown fields and cannot be closed from here.",
        remedy='Give it `model_config = ConfigDict(extra="forbid")` where it is defined.',
    )
