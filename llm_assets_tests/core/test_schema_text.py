import json
from enum import StrEnum

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from llm_assets.core.schema_text import build_schema_text


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Person(BaseModel):
    """Somebody named in the text."""

    model_config = ConfigDict(extra="forbid")

    surname: str = Field(description="Without titles.")
    age: int | None = None
    friends: list["Person"] = []


class LLMOutput(BaseModel):
    """What the text says."""

    model_config = ConfigDict(extra="forbid")

    zest: str = Field(description='Between "quotes" and {braces}, in Grüße.')
    mood: Mood
    author: Person
    title: str = Field(title="The heading of the text")
    score: float = Field(default=float("inf"), ge=float("-inf"), le=1)


class JudgeResult(BaseModel):
    model_config = ConfigDict(extra="forbid")

    is_good: bool


class Words(RootModel[list[str]]):
    """Only the words."""


MODELS = {"LLMOutput": LLMOutput, "JudgeResult": JudgeResult}


def read(models=MODELS):
    return json.loads(build_schema_text(models))


def iter_nodes(value):
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from iter_nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from iter_nodes(child)


def test_text_names_the_answer_and_holds_every_model_once():
    """The text says what to answer with, and nested models stand beside the ones that were asked for."""
    schema = read()
    assert (schema["title"], schema["type"], schema["additionalProperties"]) == (
        "LLMOutput",
        "object",
        False,
    )
    assert list(schema["models"]) == ["LLMOutput", "JudgeResult", "Mood", "Person"]


def test_every_reference_resolves_within_the_text():
    """A reader of the text alone can follow each `$ref`."""
    schema = read()
    refs = {node["$ref"] for node in iter_nodes(schema) if "$ref" in node}
    assert refs == {"#/models/Mood", "#/models/Person"}
    assert all(ref.removeprefix("#/models/") in schema["models"] for ref in refs)


def test_what_a_model_must_know_is_kept():
    """Descriptions, required fields and closedness survive, and fields keep their declared order."""
    output = read()["models"]["LLMOutput"]
    assert list(output["properties"]) == ["zest", "mood", "author", "title", "score"]
    assert output["required"] == ["zest", "mood", "author", "title"]
    assert output["description"] == "What the text says."
    assert output["properties"]["zest"]["description"].endswith("Grüße.")
    assert all(
        node["additionalProperties"] is False
        for node in iter_nodes(read())
        if node.get("type") == "object"
    )


def test_titles_stay_only_where_they_say_something():
    """A title that repeats its field's name is dropped; one that a person wrote is kept."""
    properties = read()["models"]["LLMOutput"]["properties"]
    assert "title" not in properties["zest"]
    assert properties["title"]["title"] == "The heading of the text"


def test_numbers_that_json_lacks_are_left_out():
    """Infinite bounds and defaults disappear instead of breaking the JSON; finite ones stay."""
    score = read()["models"]["LLMOutput"]["properties"]["score"]
    assert score == {"maximum": 1, "type": "number"}


@pytest.mark.parametrize("models", [{"Words": Words}, {"Person": Person}, MODELS, {}])
def test_text_is_the_same_each_time_and_strict_json(models):
    """Whatever the models, the text parses without any extension of JSON and does not vary."""
    text = build_schema_text(models)
    assert build_schema_text(models) == text
    json.loads(text, parse_constant=pytest.fail)


def test_models_of_one_name_are_told_apart():
    """Two nested models called the same get names by their outer classes."""

    class Left(BaseModel):
        class Item(BaseModel):
            a: int

        item: Item

    class Right(BaseModel):
        class Item(BaseModel):
            b: int

        item: Item

    models = read({"Left": Left, "Right": Right})["models"]
    assert len(models) == 4
    assert {name.rpartition("__")[2] for name in models} == {"Left", "Right", "Item"}
