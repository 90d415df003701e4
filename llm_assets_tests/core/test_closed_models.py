from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from llm_assets.core.closed_models import build_object_model, close_models
from llm_assets.core.json_schema import build_json_schema
from llm_assets.errors import ConfigError

T = TypeVar("T")


def close(*models):
    close_models(models, module_name=__name__, shown_path="schema.py")


def build_family():
    """Fresh classes that hold each other in all the ways there are."""

    class Leaf(BaseModel):
        x: int

    @pydantic_dataclass
    class Point:
        x: int

    @dataclass
    class Plain:
        x: int

    class Typed(TypedDict):
        x: int

    class Leaves(RootModel[list[Leaf]]):
        pass

    class Cat(BaseModel):
        kind: Literal["cat"]

    class Dog(BaseModel):
        kind: Literal["dog"]

    class Page(BaseModel, Generic[T]):
        items: list[T]

    class Root(BaseModel):
        leaf: Leaf
        by_name: dict[str, Leaf]
        leaves: Leaves
        point: Point
        plain: Plain
        typed: Typed
        page: Page[Leaf]
        pet: Cat | Dog = Field(discriminator="kind")

    return Root


GOOD: dict[str, Any] = {
    "leaf": {"x": 1},
    "by_name": {"a": {"x": 1}},
    "leaves": [{"x": 1}],
    "point": {"x": 1},
    "plain": {"x": 1},
    "typed": {"x": 1},
    "page": {"items": [{"x": 1}]},
    "pet": {"kind": "dog"},
}

PLACES = [
    (),
    ("leaf",),
    ("by_name", "a"),
    ("leaves", 0),
    ("point",),
    ("plain",),
    ("typed",),
    ("page",),
    ("page", "items", 0),
    ("pet",),
]


def add_field(value, place):
    if not place:
        return {**value, "unknown": 1}
    head, *rest = place
    if isinstance(value, list):
        return [add_field(value[head], rest)]
    return {**value, head: add_field(value[head], rest)}


@pytest.mark.parametrize("place", PLACES)
def test_unknown_fields_are_refused_everywhere(place):
    """After closing, a field that the schema does not name is refused in every kind of nested value."""
    root = build_family()
    bad = add_field(GOOD, place)
    root.model_validate(bad)
    close(root)
    root.model_validate(GOOD)
    with pytest.raises(ValidationError, match="unknown"):
        root.model_validate(bad)


def test_schema_says_what_the_validator_does():
    """Every object of a closed model's JSON Schema forbids further properties."""
    root = build_family()
    close(root)
    schema: Any = build_json_schema(root)
    nodes = [schema, *schema["$defs"].values()]
    objects = [node for node in nodes if "properties" in node]
    assert len(objects) == 8
    assert all(node["additionalProperties"] is False for node in objects)


class RingA(BaseModel):
    next: "RingB | None" = None


class RingB(BaseModel):
    next: "RingC | None" = None


class RingC(BaseModel):
    next: "RingA | None" = None


RingA.model_rebuild()


def test_a_ring_of_models_is_closed_all_the_way_round():
    """Models that contain each other are closed at every depth, whichever of them is asked."""
    close(RingA, RingB, RingC)
    for model in (RingA, RingB, RingC):
        for depth in range(5):
            bad: dict[str, Any] = {"unknown": 1}
            for _ in range(depth):
                bad = {"next": bad}
            with pytest.raises(ValidationError, match="unknown"):
                model.model_validate(bad)


def test_closing_twice_changes_nothing():
    """A closed model stays as it is, with the very same validator."""
    root = build_family()
    close(root)
    validator = root.__pydantic_validator__
    close(root)
    assert root.__pydantic_validator__ is validator


@pytest.mark.parametrize("extra", ["allow", "ignore"])
def test_a_model_that_is_open_on_purpose_is_an_error(extra):
    """A model that asks for unknown fields is not overruled in silence."""

    class Open(BaseModel):
        model_config = ConfigDict(extra=extra)

        x: int

    class Root(BaseModel):
        open: Open

    with pytest.raises(ConfigError, match=f"schema.py: model 'Open' says extra='{extra}'"):
        close(Root)


def test_a_foreign_model_is_never_changed():
    """An open model that another module owns is an error that names it, and stays as it was."""

    class Foreign(BaseModel):
        x: int

    Foreign.__module__ = "somewhere.else"

    class Root(BaseModel):
        foreign: Foreign

    with pytest.raises(ConfigError, match="'Foreign' takes unknown fields"):
        close(Root)
    assert Foreign.model_config == {}


def test_validators_and_settings_survive():
    """Closing keeps the rest of a model's config and its checks."""

    class Strict(BaseModel):
        model_config = ConfigDict(str_strip_whitespace=True, title="Kept")

        name: str = Field(min_length=2)

    close(Strict)
    assert Strict(name=" ab ").name == "ab"
    assert Strict.model_json_schema()["title"] == "Kept"
    with pytest.raises(ValidationError):
        Strict(name=" a ")


class Words(RootModel[list[str]]):
    """Only the words."""


class Either(RootModel[RingA | list[int]]):
    pass


class Wrapper(RootModel[RingA]):
    pass


class Free(RootModel[dict[str, int]]):
    pass


@pytest.mark.parametrize("model", [RingA, Wrapper, Free])
def test_an_object_model_stays_itself(model):
    """A model whose answers are objects is used as it is."""
    assert build_object_model(model) is model


@pytest.mark.parametrize(("model", "answer"), [(Words, ["a", "b"]), (Either, [1, 2])])
def test_other_answers_become_the_value_of_an_object(model, answer):
    """A list or union is asked for as the only field of a closed object, and comes out as a dict of fields."""
    wrapped = build_object_model(model)
    assert wrapped.__name__ == model.__name__
    assert wrapped.model_validate({"value": answer}).model_dump() == {"value": answer}
    assert TypeAdapter(wrapped).json_schema()["type"] == "object"
    for bad in (answer, {}, {"value": answer, "more": 1}):
        with pytest.raises(ValidationError):
            wrapped.model_validate(bad)
