from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, RootModel, computed_field

from llm_assets.core.export_columns import (
    ExportColumn,
    build_input_columns,
    build_output_columns,
    build_status_columns,
    build_unique_names,
    build_verdict_columns,
)


class Place(BaseModel):
    city: str
    zip: int | None


class Person(BaseModel):
    name: str
    place: Place


class Tree(BaseModel):
    label: str
    child: "Tree | None" = None


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Answer(BaseModel):
    score: float
    done: bool
    colour: Literal["red", "blue"]
    tags: list[str]
    person: Person | None
    scores: dict[str, int]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    tree: Tree
    mixed: int | str
    day: date
    due: datetime | None
    code: UUID
    aliased: Annotated[int, Field(alias="Class")] = 1

    @computed_field
    @property
    def total(self) -> int:
        return 1


def build_columns(model, nested: Literal["flatten", "json"] = "flatten"):
    return build_output_columns(model.model_json_schema(mode="serialization"), nested)


def test_nested_fields_become_dotted_columns():
    """Objects with fixed fields are flattened in the schema's order; everything else stays JSON."""
    assert [(column.name, column.kind) for column in build_columns(Answer)] == [
        ("score", "number"),
        ("done", "boolean"),
        ("colour", "text"),
        ("tags", "json"),
        ("person.name", "text"),
        ("person.place.city", "text"),
        ("person.place.zip", "integer"),
        ("scores", "json"),
        ("pet", "json"),
        ("tree.label", "text"),
        ("tree.child", "json"),
        ("mixed", "json"),
        ("day", "date"),
        ("due", "datetime"),
        ("code", "text"),
        ("Class", "integer"),
        ("total", "integer"),
    ]


def test_nested_fields_can_stay_json():
    """With `json` every field of the output is one column."""
    names = [column.name for column in build_columns(Answer, "json")]
    assert names == list(Answer.model_json_schema(mode="serialization")["properties"])


def test_model_that_contains_itself():
    """A root that refers to itself is read, and its inner self stays JSON."""
    assert [(c.name, c.kind) for c in build_columns(Tree)] == [("label", "text"), ("child", "json")]


def test_output_without_fixed_fields_is_one_column():
    """An object with free keys is kept whole."""
    (column,) = build_columns(RootModel[dict[str, int]])
    assert (column.name, column.path, column.kind) == ("output", (), "json")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", None], "text"),
        ([], "text"),
        ([True, None], "boolean"),
        ([1, 2], "integer"),
        ([1, 2.5], "number"),
        ([1, True], "json"),
        ([1, "a"], "json"),
    ],
)
def test_kind_of_an_input_column(values, kind):
    """An input column has the kind that its values share."""
    (column,) = build_input_columns(["x"], [{"x": value} for value in values])
    assert column.kind == kind


def test_the_fields_of_a_verdict_are_told_from_those_of_an_output():
    """A verdict's columns carry `judge.` before their path, nested and computed ones too."""
    schema = Answer.model_json_schema(mode="serialization")
    columns = build_verdict_columns(schema, "flatten")
    names = [column.name for column in columns]
    assert {"judge.score", "judge.person.place.city", "judge.total"} <= set(names)
    assert {column.source for column in columns} == {"judge"}
    plain = build_output_columns(schema, "flatten")
    assert [column.path for column in columns] == [column.path for column in plain]
    assert [column.kind for column in columns] == [column.kind for column in plain]


def test_later_name_gives_way():
    """Of equal names the later one gets its source in front, again where that is taken too."""
    columns = [
        *build_input_columns(["status", "score", "output.score"], []),
        ExportColumn(name="score", source="output", path=("score",), kind="number"),
        *build_status_columns("row"),
    ]
    names = [column.name for column in build_unique_names(columns)]
    assert names[:5] == ["status", "score", "output.score", "output.output.score", "status.status"]
    assert len(set(names)) == len(names)
