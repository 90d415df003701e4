from typing import Any

import pytest

from llm_assets.core.schema_proposal import MAX_PARTS, parse_schema_shape
from llm_assets.core.schema_shape import NullableShape, NumberShape, ObjectShape, TextShape


def build_root(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def parse(schema: Any):
    return parse_schema_shape(schema, root_name="LLMOutput")


def parse_field(node: Any):
    shape = parse(build_root(x=node))
    assert isinstance(shape, ObjectShape)
    return shape.fields[0]


TEXT = TextShape(min_length=None, max_length=None)

NULLABLE = [
    {"type": ["string", "null"]},
    {"type": ["null", "string"]},
    {"type": "string", "nullable": True},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {"anyOf": [{"type": "null"}, {"type": "string"}], "default": None},
]


@pytest.mark.parametrize("node", NULLABLE)
def test_null_is_understood_in_each_of_its_spellings(node):
    """However a proposal says that a value may be null, the shape is the same."""
    assert parse_field(node).shape == NullableShape(shape=TEXT)


def test_description_is_found_inside_and_outside_of_null():
    """The words about a nullable field count wherever they stand; the outer ones first."""
    inner = {"type": "string", "description": "inner"}
    union = {"anyOf": [inner, {"type": "null"}]}
    assert parse_field(union).description == "inner"
    assert parse_field({**union, "description": "outer"}).description == "outer"


def test_whole_bounds_of_whole_numbers_become_whole():
    """`1.0` bounds an integer as 1."""
    node = {"type": "integer", "minimum": 1.0, "exclusiveMaximum": 5}
    shape = parse_field(node).shape
    assert shape == NumberShape(is_whole=True, bounds=(("ge", 1), ("lt", 5)))
    assert "1.0" not in repr(shape)


def test_local_references_are_read_in_their_place():
    """A `$ref` to the schema's own definitions stands for the definition, with words of its own beside it."""
    node = {"$ref": "#/$defs/Place", "description": "where"}
    schema = {
        **build_root(x=node),
        "$defs": {"Place": {**build_root(town={"type": "string"}), "description": "A place."}},
    }
    shape = parse(schema)
    assert isinstance(shape, ObjectShape)
    assert shape.fields[0].description == "where"
    assert isinstance(shape.fields[0].shape, ObjectShape)
    assert shape.fields[0].shape.description == "A place."


REFUSED: list[tuple[Any, str, str]] = [
    ({"type": "string", "pattern": "^a"}, "x", "'pattern' cannot be used"),
    ({"type": "string", "format": "date"}, "x", "'format' cannot be used"),
    ({"type": "string", "default": "a"}, "x", "'default' cannot be used"),
    ({"type": "string", "customTypePath": "os.system"}, "x", "'customTypePath' cannot be used"),
    ({"type": "string", "minLength": -1}, "x", "`minLength` is not a count"),
    ({"type": "string", "minLength": True}, "x", "`minLength` is not a count"),
    ({"type": "string", "minLength": 3, "maxLength": 2}, "x", "larger than"),
    ({"type": "integer", "minimum": 0.5}, "x", "not a whole number"),
    ({"type": "number", "minimum": "0"}, "x", "not a number"),
    ({"type": "number", "maximum": float("inf")}, "x", "not a number"),
    ({"type": "integer", "maximum": 10**40}, "x", "not a whole number"),
    ({"type": "number", "minimum": 2, "maximum": 1}, "x", "leave no number"),
    ({"type": "number", "exclusiveMinimum": 1, "maximum": 1}, "x", "leave no number"),
    ({"type": "string", "enum": []}, "x", "list of texts"),
    ({"type": "string", "enum": ["a", 1]}, "x", "list of texts"),
    ({"type": "string", "enum": "ab"}, "x", "list of texts"),
    ({"type": "integer", "enum": ["a"]}, "x", "goes with type 'string'"),
    ({"type": "string", "enum": ["\ud800"]}, "x", "half of a character"),
    ({"type": "string", "enum": [str(n) for n in range(501)]}, "x", "more than 500"),
    ({"type": "string", "description": ["a"]}, "x", "not a text"),
    ({"type": "string", "description": "a" * 2001}, "x", "longer than"),
    ({"type": "array"}, "x[]", "object with a `type`"),
    ({"type": "array", "items": [{"type": "string"}]}, "x[]", "object with a `type`"),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "x", "'uniqueItems'"),
    ({"type": "array", "items": {"type": "any"}}, "x[]", "`type` is 'any'"),
    ({"type": "object"}, "x", "needs `properties`"),
    ({"type": "object", "properties": {}}, "x", "needs `properties`"),
    ({"type": "object", "additionalProperties": {"type": "string"}}, "x", "must be false"),
    ({**build_root(y={"type": "string"}), "required": ["z"]}, "x", "it holds 'z'"),
    ({**build_root(y={"type": "string"}), "required": "y"}, "x", "`required`"),
    ({**build_root(y={"type": "string"}), "required": [["y"]]}, "x", "`required`"),
    (build_root(**{" ": {"type": "string"}}), "x. ", "no name"),
    (True, "x", "object with a `type`"),
    (None, "x", "object with a `type`"),
    ({}, "x", "`type` is None"),
    ({"type": ["string", "integer"]}, "x", "`type` is 'string', 'integer'"),
    ({"type": ["null"]}, "x", "`type` is nothing"),
    ({"oneOf": [{"type": "string"}]}, "x", "`type` is None"),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "x", "`type` is None"),
    ({"$ref": "file:///etc/passwd"}, "x", "only `#/$defs/...`"),
    ({"$ref": "https://example.com/schema.json"}, "x", "only `#/$defs/...`"),
    ({"$ref": "#"}, "x", "only `#/$defs/...`"),
    ({"$ref": 3}, "x", "only `#/$defs/...`"),
    ({"$ref": "#/$defs/Gone"}, "x", "holds no 'Gone'"),
    ({"$ref": "#/$defs/Loop"}, "x.again", "contains itself"),
    ({"$ref": "#/$defs/A0"}, "x", "nested deeper"),
]

DEFS: dict[str, Any] = {
    "Loop": build_root(again={"$ref": "#/$defs/Loop"}),
    **{f"A{n}": {"$ref": f"#/$defs/A{n + 1}"} for n in range(2000)},
}


@pytest.mark.parametrize(("node", "path", "words"), REFUSED, ids=range(len(REFUSED)))
def test_everything_outside_the_subset_is_refused_with_its_place(node, path, words):
    """A keyword, type or limit that cannot be printed is reported where it stands and never dropped in silence."""
    problems = parse({**build_root(x=node), "$defs": DEFS})
    assert isinstance(problems, tuple)
    assert problems[0].path == f"LLMOutput.{path}"
    assert any(words in problem.sentence for problem in problems)


def test_all_problems_are_named_at_once():
    """A model that mends its proposal learns of every fault in one go."""
    bad = {"type": "string", "pattern": "a"}
    problems = parse(build_root(a=bad, b={"type": "array", "items": bad}, c={"type": "boolean"}))
    assert isinstance(problems, tuple)
    assert [problem.path for problem in problems] == ["LLMOutput.a", "LLMOutput.b[]"]


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"type": ["object", "null"]}])
def test_the_root_must_be_an_object(schema):
    """An answer always has fields."""
    assert isinstance(parse(schema), tuple)


def test_a_schema_that_multiplies_is_cut_short():
    """References that double at every level end at the limit of parts instead of filling the memory."""
    level: Any = {"type": "string"}
    definitions: dict[str, Any] = {}
    for number in range(6):
        definitions[f"D{number}"] = level
        ref = {"$ref": f"#/$defs/D{number}"}
        level = build_root(**{f"f{n}": ref for n in range(20)})
    problems = parse({**level, "$defs": definitions})
    assert isinstance(problems, tuple)
    assert f"the schema has more than {MAX_PARTS} parts" in [each.sentence for each in problems]


def test_depth_has_a_limit():
    """Objects nested beyond what a person can review are refused."""
    node: Any = {"type": "string"}
    for _ in range(8):
        node = build_root(x=node)
    problems = parse(node)
    assert isinstance(problems, tuple)
    assert "nested deeper" in problems[0].sentence
