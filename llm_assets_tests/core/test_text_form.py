from typing import Any

import pytest
from pydantic import BaseModel, Field

from llm_assets.config.answer import AnswerSettings
from llm_assets.core.text_form import (
    ChoiceField,
    ListField,
    NumberField,
    RecordField,
    TextField,
    build_text_form,
)
from llm_assets.errors import ConfigError


class Part(BaseModel):
    size: int | None = None


class Good(BaseModel):
    long_name: str = Field(title="A title")
    score: float = Field(default=0, gt=0, le=5)
    tags: list[str]
    is_open: bool = False
    part: Part = Part()


class Tree(BaseModel):
    name: str
    child: "Tree | None" = None


class FreeKeys(BaseModel):
    counts: dict[str, int]


class ManyParts(BaseModel):
    parts: list[Part]


class Anything(BaseModel):
    value: Any


class Pair(BaseModel):
    either: int | list[str]


class Alike(BaseModel):
    key_point: str
    other: str = Field(title="Key point")


def build(model: type[BaseModel], **settings: object) -> RecordField:
    return build_text_form(model, AnswerSettings.model_validate({"kind": "text", **settings}))


def test_model_says_what_is_taken():
    """Names, types, bounds and what is required come from the fields of the model."""
    form = build(Good, aliases={"tags": ["Labels"]}, required=["score", "part.size"])
    members = form.members
    assert {name: member.holds for name, member in members.items() if name != "part"} == {
        "long_name": TextField(),
        "score": NumberField(low=0, high=5),
        "tags": ListField(item=TextField()),
        "is_open": ChoiceField(options={"yes": True, "true": True, "no": False, "false": False}),
    }
    assert [name for name, member in members.items() if member.is_required] == [
        "long_name",
        "score",
        "tags",
    ]
    assert members["long_name"].names == ("A title", "long_name")
    assert members["tags"].names == ("Tags", "tags", "Labels")
    part = members["part"].holds
    assert isinstance(part, RecordField)
    assert part.members["size"].is_required
    assert part.members["size"].holds == NumberField(is_integer=True, is_nullable=True)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Tree, "child"),
        (FreeKeys, "counts"),
        (ManyParts, "parts"),
        (Anything, "value"),
        (Pair, "either"),
    ],
)
def test_type_that_no_text_gives_is_told(model: type[BaseModel], path: str):
    """Free keys, lists of objects, unions and models inside of themselves are named before the first call."""
    with pytest.raises(ConfigError, match="no text gives") as error:
        build(model)
    assert f"`{path}" in str(error.value)
    assert "answer: json" in error.value.remedy


def test_two_fields_cannot_share_a_name():
    """A title or an alias that is the name of another field is told with both."""
    with pytest.raises(ConfigError, match="`key_point` and `other` are both called 'Key point'"):
        build(Alike)
    with pytest.raises(ConfigError, match="`score` and `is_open` are both called 'Score'"):
        build(Good, aliases={"is_open": ["Score"]})


def test_settings_for_a_field_that_is_not_there_are_told():
    """A misspelled field in `aliases` or `required` is named, with the one that was meant."""
    with pytest.raises(ConfigError, match=r"`answer.required` names 'scor'.*'score'"):
        build(Good, required=["scor"])
    with pytest.raises(ConfigError, match=r"`answer.aliases` names 'part.siz'.*'part.size'"):
        build(Good, aliases={"part.siz": ["Size"]})
