from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, RootModel

from llm_assets.core.field_facts import FieldFacts, describe_field
from llm_assets.core.json_schema import JsonObject, build_json_schema


class Place(BaseModel):
    """Where something is."""

    city: str = Field(description="Its town.")
    shelf: int | None = Field(default=None, gt=0, lt=100)


class Tree(BaseModel):
    label: str
    child: "Tree | None" = None


class Answer(BaseModel):
    """All that is said of a note."""

    mood: Literal["good", "bad"] = Field(description="How the writer feels.")
    score: int = Field(ge=0, le=10, multiple_of=5)
    summary: str = Field(min_length=1, max_length=200, pattern="^[A-Z]")
    tags: Annotated[list[str], Field(min_length=1, max_length=3)]
    kind: Literal["note"] = "note"
    place: Place
    spare: Place | None = Field(description="Where there is another one.")
    either: int | str | None
    tree: Tree
    none: None


class Maybe(RootModel[Answer | None]):
    pass


OPTIONAL: JsonObject = {
    "type": "object",
    "properties": {"a": {"type": ["string", "null"]}, "b": {}},
}
CASES: list[tuple[str, str | None, tuple[str, ...], bool]] = [
    ("mood", "How the writer feels.", ("one of: good, bad",), True),
    ("score", None, ("at least 0", "at most 10", "a multiple of 5"), True),
    (
        "summary",
        None,
        ("characters: at least 1", "characters: at most 200", "matches ^[A-Z]"),
        True,
    ),
    ("tags", None, ("entries: at least 1", "entries: at most 3"), True),
    ("kind", None, ("always note",), False),
    ("place", "Where something is.", (), True),
    ("place.city", "Its town.", (), True),
    ("place.shelf", None, ("more than 0", "less than 100"), False),
    ("spare", "Where there is another one.", (), False),
    ("spare.city", "Its town.", (), False),
    ("either", None, (), False),
    ("tree.child.child.label", None, (), False),
    ("none", None, (), False),
    ("unheard_of", None, (), False),
    ("place.unheard_of.of", None, (), False),
    ("", "All that is said of a note.", (), True),
]


@pytest.mark.parametrize(("path", "description", "rules", "is_always_filled"), CASES)
def test_a_field_is_described_by_its_schema(
    path: str, description: str | None, rules: tuple[str, ...], *, is_always_filled: bool
):
    """Description, bounds and choices of a field are said in words, also inside of nested models."""
    document = build_json_schema(Answer, mode="serialization")
    facts = describe_field(document, [name for name in path.split(".") if name])
    expected = FieldFacts(description=description, rules=rules, is_always_filled=is_always_filled)
    assert facts == expected


def test_a_field_that_may_be_left_out_is_not_always_filled():
    """A field that is not required, or that has null among its types, can be missing."""
    assert not describe_field(OPTIONAL, ["a"]).is_always_filled
    assert not describe_field({**OPTIONAL, "required": ["a", "b"]}, ["a"]).is_always_filled
    assert describe_field({**OPTIONAL, "required": ["a", "b"]}, ["b"]).is_always_filled


def test_a_root_model_is_looked_through():
    """The fields of a model that is one choice beside null are found."""
    document = build_json_schema(Maybe, mode="serialization")
    assert describe_field(document, ["mood"]).rules == ("one of: good, bad",)


def test_schemas_that_refer_to_each_other_come_to_an_end():
    """A circle of references is a field of which nothing is known."""
    document: JsonObject = {
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}},
    }
    assert describe_field(document, ["a"]).rules == ()
