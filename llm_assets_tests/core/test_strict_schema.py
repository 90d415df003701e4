from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.strict_schema import (
    StrictSchema,
    Unsupported,
    build_response_format,
    build_strict_schema,
    decide_structured_output,
)


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Level(Enum):
    LOW = 1
    HIGH = 2


class Place(Closed):
    """Somewhere."""

    town: str
    inside: "Place | None" = Field(None, description="The larger place.")
    around: "Place" = Field(description="The place around it.")


class Cat(Closed):
    kind: Literal["cat"]


class Dog(Closed):
    kind: Literal["dog"]


class LLMOutput(Closed):
    """An answer."""

    score: float = Field(ge=0, lt=1, description="How sure")
    tags: Annotated[list[str], Field(min_length=1, max_length=3)] = []
    note: str | None = None
    code: str = Field(pattern=r"^a(b)$")
    day: date
    level: Level = Level.LOW
    mixed: Literal["a", 1] | None
    place: Place = Field(description="Where it is")
    pet: Cat | Dog = Field(discriminator="kind")
    unique: set[int]
    heading: str = Field(title="The first line")


def convert(model: type[BaseModel]) -> StrictSchema | Unsupported:
    return build_strict_schema(build_json_schema(model))


def convert_supported(model: type[BaseModel]) -> dict[str, Any]:
    strict = convert(model)
    assert isinstance(strict, StrictSchema)
    return strict.schema


def iter_schemas(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, list):
        for child in schema:
            yield from iter_schemas(child)
    if isinstance(schema, dict):
        yield schema
        for keyword in ("properties", "$defs"):
            for child in schema.get(keyword, {}).values():
                yield from iter_schemas(child)
        for keyword in ("items", "anyOf"):
            yield from iter_schemas(schema.get(keyword))


ALLOWED = {
    "type",
    "enum",
    "const",
    "anyOf",
    "$ref",
    "$defs",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
}


def test_only_supported_keywords_remain():
    """Nothing stands in a strict schema but what every strict decoder knows, and each place says its type."""
    for node in iter_schemas(convert_supported(LLMOutput)):
        assert node.keys() <= ALLOWED
        assert node.keys() & {"type", "anyOf", "$ref"}


def test_every_object_is_closed_and_all_its_fields_required():
    """Fields with defaults become required too; that is what strict decoding demands."""
    objects = [
        node for node in iter_schemas(convert_supported(LLMOutput)) if node.get("type") == "object"
    ]
    assert len(objects) == 5
    for node in objects:
        assert node["required"] == list(node["properties"])
        assert node["additionalProperties"] is False


def test_every_reference_resolves():
    """A reference names a definition that is there, and no unused definition is sent."""
    schema = convert_supported(LLMOutput)
    used = {
        node["$ref"].removeprefix("#/$defs/") for node in iter_schemas(schema) if "$ref" in node
    }
    assert used == schema["$defs"].keys()


PROPERTIES = {
    "score": {"description": "How sure (minimum: 0, exclusiveMaximum: 1)", "type": "number"},
    "tags": {
        "description": "(minItems: 1, maxItems: 3, default: [])",
        "type": "array",
        "items": {"type": "string"},
    },
    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "code": {"description": '(pattern: "^a(b)$")', "type": "string"},
    "day": {"description": '(format: "date")', "type": "string"},
    "level": {"description": "(default: 1)", "type": "integer", "enum": [1, 2]},
    "mixed": {"anyOf": [{"enum": ["a", 1], "type": ["string", "integer"]}, {"type": "null"}]},
    "unique": {"description": "(uniqueItems: true)", "type": "array", "items": {"type": "integer"}},
    "heading": {"description": "The first line", "type": "string"},
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_what_has_no_keyword_is_said_in_the_description(name):
    """Limits, formats and defaults go on in words, and field names as titles disappear."""
    assert convert_supported(LLMOutput)["properties"][name] == PROPERTIES[name]


def test_a_reference_with_words_beside_it_becomes_a_copy():
    """Strict decoders refuse a `$ref` with siblings, so that the definition is written out with the new words."""
    place = convert_supported(LLMOutput)["properties"]["place"]
    assert place["description"] == "Where it is"
    assert list(place["properties"]) == ["town", "inside", "around"]


def test_recursion_ends():
    """A definition that refers to itself with words beside it is not written out for ever."""
    place = convert_supported(LLMOutput)["properties"]["place"]
    assert place["properties"]["around"] == {
        "description": "The place around it.",
        "anyOf": [{"$ref": "#/$defs/Place"}],
    }


def test_a_recursive_root_is_written_out():
    """The root is an object itself, never a reference, and its definition stays for the levels below."""
    schema = convert_supported(Place)
    assert schema["type"] == "object"
    assert schema["description"] == "Somewhere."
    assert set(schema["$defs"]) == {"Place"}


def test_discriminated_unions_become_plain_ones():
    """The discriminator goes, because each option names its kind as a constant."""
    schema = convert_supported(LLMOutput)
    assert schema["properties"]["pet"] == {
        "anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]
    }
    assert schema["$defs"]["Cat"]["properties"]["kind"] == {"type": "string", "const": "cat"}


class Pair(NamedTuple):
    a: int
    b: str


class Loose(Closed):
    x: dict[str, int]


class Outer(Closed):
    loose: list[Loose]
    nested: dict[Literal["a"], list[Any]]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


def build_model(annotation: Any) -> type[BaseModel]:
    return type("LLMOutput", (Closed,), {"__annotations__": {"x": annotation}})


UNSUPPORTED = [
    (dict[str, int], ["LLMOutput.x"], "keys are free"),
    (dict, ["LLMOutput.x"], "keys are free"),
    (Any, ["LLMOutput.x"], "any value"),
    (list, ["LLMOutput.x[]"], "any value"),
    (list[list[Any]], ["LLMOutput.x[][]"], "any value"),
    (tuple[int, str], ["LLMOutput.x"], "tuple"),
    (Pair, ["Pair"], "tuple"),
    (Open, ["Open"], "keys are free"),
    (Loose | None, ["Loose.x"], "keys are free"),
    (
        Annotated[int, Field(json_schema_extra={"not": {"const": 3}})],
        ["LLMOutput.x"],
        "not allowed",
    ),
]


@pytest.mark.parametrize(("annotation", "paths", "words"), UNSUPPORTED)
def test_what_cannot_be_strict_is_named_with_its_place(annotation, paths, words):
    """A model outside the strict subset gives a path and a sentence, and no half-strict schema."""
    strict = convert(build_model(annotation))
    assert isinstance(strict, Unsupported)
    assert [problem.path for problem in strict.problems] == paths
    assert words in strict.problems[0].sentence


def test_all_problems_are_reported_at_once():
    """One reading names every place, nested ones by their model."""
    strict = convert(Outer)
    assert isinstance(strict, Unsupported)
    assert {problem.path for problem in strict.problems} == {"Loose.x", "Outer.nested"}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array", "items": {"type": "string"}},
        {"anyOf": [{"type": "object", "properties": {}, "additionalProperties": False}]},
        {"$ref": "#/$defs/Gone"},
        {"type": "object", "properties": {"x": {"$ref": "http://example.com/x"}}},
        {"type": "object", "properties": {"x": True}},
        {"type": "object", "properties": {"x": {"allOf": [{"type": "string"}, {"minLength": 1}]}}},
        {"type": "object", "properties": {"x": {"enum": []}}},
        {"type": "object", "properties": {"x": {"enum": [{}]}}},
        {"type": "object", "properties": {"x": {"type": ["array", "null"]}}},
    ],
)
def test_foreign_schemas_are_reported_and_never_raise(schema):
    """A schema that Pydantic would not write is a reported problem."""
    assert isinstance(build_strict_schema(schema), Unsupported)


def test_a_single_all_of_is_taken_apart():
    """`allOf` around one schema says the same as that schema with the words beside it."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"x": {"allOf": [{"type": "string"}], "description": "Text"}},
    }
    strict = build_strict_schema(schema)
    assert isinstance(strict, StrictSchema)
    properties = strict.schema["properties"]
    assert properties == {"x": {"description": "Text", "type": "string"}}


STRICT = StrictSchema(schema={"type": "object"})
LOOSE = Unsupported(problems=())


@pytest.mark.parametrize(
    ("level", "strict", "used", "kind"),
    [
        ("json_schema", STRICT, "json_schema", "json_schema"),
        ("json_schema", LOOSE, "json_object", "json_object"),
        ("json_object", STRICT, "json_object", "json_object"),
        ("json_object", LOOSE, "json_object", "json_object"),
        ("prompt", STRICT, "prompt", None),
        ("prompt", LOOSE, "prompt", None),
    ],
)
def test_level_falls_where_there_is_no_strict_form(level, strict, used, kind):
    """The level that is recorded is the one whose response format is sent."""
    assert decide_structured_output(level, strict) == used
    sent = build_response_format(name="LLMOutput", level=level, strict=strict)
    assert (sent and sent["type"]) == kind


def test_response_format_carries_the_schema_under_a_name_that_providers_take():
    """The name keeps to letters that providers allow and to their length."""
    sent = build_response_format(name="Größe" * 20, level="json_schema", strict=STRICT)
    assert sent == {
        "type": "json_schema",
        "json_schema": {
            "name": ("Gr__e" * 20)[:64],
            "strict": True,
            "schema": {"type": "object"},
        },
    }


class Wide(RootModel[list[int]]):
    pass


def test_a_root_that_is_no_object_is_reported():
    """Such a model has to be put into an object before it comes here."""
    strict = convert(Wide)
    assert isinstance(strict, Unsupported)
    assert [problem.path for problem in strict.problems] == ["Wide"]
