import ast
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from llm_assets.core.schema_source import _MODEL_ATTRIBUTES, render_schema_source
from llm_assets.errors import ConfigError

TICKET: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "description": "What a ticket is about.",
    "properties": {
        "category": {"type": "string", "enum": ["bug", 'a "wish"'], "description": "It's one."},
        "class": {"type": "string", "minLength": 1, "description": "The customer's class."},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "places": {
            "type": "array",
            "items": {
                "type": "object",
                "description": "A place in the text.",
                "properties": {"line": {"type": "integer", "exclusiveMinimum": 0}},
                "required": ["line"],
            },
        },
        "note": {"type": ["string", "null"]},
        "is_urgent": {"type": "boolean"},
    },
    "required": ["category", "class", "score", "tags", "places", "note"],
    "additionalProperties": False,
}

TICKET_SOURCE = '''"""What an answer of this task is. Made from a model's proposal; it is yours to edit."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class PlacesItem(BaseModel):
    """A place in the text."""

    model_config = ConfigDict(extra="forbid")

    line: Annotated[int, Field(gt=0)]


class LLMOutput(BaseModel):
    """What a ticket is about."""

    model_config = ConfigDict(extra="forbid")

    category: Literal["bug", 'a "wish"'] = Field(description="It's one.")
    class_: Annotated[str, Field(min_length=1)] = Field(alias="class", description="The customer's class.")
    score: Annotated[float, Field(ge=0, le=1)]
    tags: Annotated[list[str], Field(max_length=3)]
    places: list[PlacesItem]
    note: str | None
    is_urgent: bool | None = Field(default=None)
'''


def import_source(source: str, name: str = "LLMOutput") -> type[BaseModel]:
    namespace: dict[str, Any] = {"__name__": "printed"}
    exec(compile(source, "printed.py", "exec"), namespace)  # noqa: S102 - what it holds is tested first
    return namespace[name]


def test_source_reads_like_one_that_a_person_wrote():
    """The printed module is plain Pydantic, with nested classes before the ones that use them."""
    assert render_schema_source(TICKET) == TICKET_SOURCE


def test_only_the_imports_that_are_used_are_printed():
    """A schema of plain fields needs nothing from `typing`."""
    source = render_schema_source({"type": "object", "properties": {"a": {"type": "boolean"}}})
    assert "typing" not in source
    plain: dict[str, Any] = {
        "type": "object",
        "properties": {"a": {"type": "boolean"}},
        "required": ["a"],
    }
    assert "from pydantic import BaseModel, ConfigDict\n" in render_schema_source(plain)


def test_equal_parts_share_a_class_and_others_do_not():
    """A definition used twice is printed once; two different parts of one name get two classes."""
    point = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    other = {"type": "object", "properties": {"y": {"type": "integer"}}, "required": ["y"]}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "start": {"$ref": "#/$defs/Point"},
            "end": {"$ref": "#/$defs/Point"},
            "point": other,
        },
        "$defs": {"Point": point},
    }
    source = render_schema_source(schema)
    assert source.count("class Point(") == 1
    assert "    start: Point | None" in source
    assert "    end: Point | None" in source
    assert "    point: Point2 | None" in source


NAMES = {
    "plain": "plain",
    "class": "class_",
    "Full Name": "full_name_",
    "straße": "stra_e_",
    "名前": "field",
    "1st": "field_1st",
    "_hidden": "hidden_",
    "model_config": "field_model_config",
    "str": "str_",
    "Literal": "literal_",
    "copy": "copy_",
    "a-b": "a_b_",
    "None": "none_",
    "print(1)": "print_1_",
}


@pytest.mark.parametrize("name", NAMES)
def test_field_names_become_identifiers_and_keep_their_spelling_in_the_json(name):
    """A name that Python or Pydantic cannot use gets another one, and the answer still says the first."""
    properties: Any = {name: {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": [name]}
    model = import_source(render_schema_source(schema))
    assert list(model.model_fields) == [NAMES[name]]
    answer = model.model_validate({name: 1})
    assert answer.model_dump(by_alias=True) == {name: 1}


def test_names_that_meet_are_told_apart():
    """Different JSON names never share a Python name."""
    names = ["a-b", "a b", "a_b", "a_b_", "é", "ü"]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in names},
        "required": names,
    }
    model = import_source(render_schema_source(schema))
    value = dict.fromkeys(names, 1)
    assert model.model_validate(value).model_dump(by_alias=True) == value


def test_every_attribute_of_a_model_is_known():
    """No field can hide a method that Pydantic models have."""
    attributes = {name for name in dir(BaseModel) if not name.startswith(("_", "model_"))}
    assert attributes <= _MODEL_ATTRIBUTES


@pytest.mark.parametrize("name", ["class", "a b", "", "x; import os"])
def test_the_root_name_must_be_a_class_name(name):
    """A name from the config that is no identifier is refused before anything is printed."""
    with pytest.raises(ConfigError, match="cannot be the name of a class"):
        render_schema_source(TICKET, model_name=name)


def test_a_refused_schema_names_every_place():
    """What cannot be printed is one error that lists all of it, and no source."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"a": {"type": "date"}, "b": {"$ref": "file:///etc/passwd"}},
    }
    with pytest.raises(ConfigError) as caught:
        render_schema_source(schema)
    assert "`LLMOutput.a`" in caught.value.what
    assert "`LLMOutput.b`" in caught.value.what


HOSTILE = (
    '"""',
    "'''",
    '"); import os; os.system("id',
    "'); __import__('os').system('id",
    "\\",
    '\\"',
    "\\'",
    "a\nb",
    "\r\n\t",
    "\x00",
    "\u202e\u2028\x85",
    "{braces} %s {{ jinja }}",
    "ends with backslash\\",
    "😀",
    "# comment",
)
RESERVED = (
    *("class", "None", "str", "int", "list", "float", "bool", "Literal", "Field", "Annotated"),
    *("BaseModel", "ConfigDict", "LLMOutput", "model_config", "model_fields", "model_dump"),
    *("__import__", "__class__", "__init__", "self", "json", "copy", "a b", "a_b", "a-b", "é", "1"),
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))
names = st.one_of(st.sampled_from(HOSTILE + RESERVED), st.text(max_size=12)).filter(
    lambda name: bool(name.strip())
)


def describe(nodes):
    described = st.builds(lambda node, text: {**node, "description": text}, nodes, texts)
    return st.one_of(nodes, described)


def make_nullable(nodes):
    spelled = st.one_of(
        nodes.map(lambda node: {"anyOf": [node, {"type": "null"}]}),
        nodes.filter(lambda node: isinstance(node.get("type"), str)).map(
            lambda node: {**node, "type": [node["type"], "null"]}
        ),
    )
    return st.one_of(nodes, spelled)


def build_limits(low, high, values):
    pairs = st.tuples(values, values).map(sorted)
    return st.one_of(
        st.just({}),
        values.map(lambda value: {low: value}),
        values.map(lambda value: {high: value}),
        pairs.map(lambda pair: {low: pair[0], high: pair[1]}),
    )


def merge(*parts):
    return st.tuples(*parts).map(lambda found: {key: each[key] for each in found for key in each})


leaves = st.one_of(
    merge(st.just({"type": "string"}), build_limits("minLength", "maxLength", st.integers(0, 5))),
    st.lists(texts, min_size=1, max_size=4).map(lambda found: {"type": "string", "enum": found}),
    merge(st.just({"type": "integer"}), build_limits("minimum", "maximum", st.integers(-9, 9))),
    merge(
        st.just({"type": "number"}),
        build_limits("minimum", "maximum", st.floats(-1e6, 1e6, allow_nan=False)),
    ),
    st.just({"type": "boolean"}),
)


@st.composite
def build_object(draw, nodes):
    properties = draw(st.dictionaries(names, nodes, min_size=1, max_size=4))
    required = draw(st.lists(st.sampled_from(list(properties)), unique=True))
    return {"type": "object", "properties": properties, "required": required}


def grow(nodes):
    lists = merge(
        st.just({"type": "array"}),
        nodes.map(lambda node: {"items": node}),
        build_limits("minItems", "maxItems", st.integers(0, 3)),
    )
    return make_nullable(describe(st.one_of(lists, build_object(nodes))))


nodes = st.recursive(make_nullable(describe(leaves)), grow, max_leaves=5)
schemas = describe(build_object(nodes))

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-10, 10), st.floats(-9.5, 9.5), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(names, inner, max_size=2)),
    max_leaves=3,
)


def is_valid(node, value) -> bool:
    """What JSON Schema says, with a missing optional field taken as null."""
    kinds = node.get("type")
    if "anyOf" in node:
        return value is None or is_valid(node["anyOf"][0], value)
    if isinstance(kinds, list):
        return value is None or is_valid({**node, "type": kinds[0]}, value)
    match kinds:
        case "string":
            is_listed = value in node.get("enum", [value])
            return isinstance(value, str) and is_listed and is_within(node, len(value), "Length")
        case "integer":
            return type(value) is int and is_within(node, value, "imum")
        case "number":
            return type(value) in (int, float) and is_within(node, value, "imum")
        case "boolean":
            return isinstance(value, bool)
        case "array":
            has_length = isinstance(value, list) and is_within(node, len(value), "Items")
            return has_length and all(is_valid(node["items"], item) for item in value)
        case _:
            return isinstance(value, dict) and is_valid_object(node, value)


def is_valid_object(node, value):
    return value.keys() <= node["properties"].keys() and all(
        is_valid(child, value[name])
        if name in value and not (value[name] is None and name not in node["required"])
        else name not in node["required"]
        for name, child in node["properties"].items()
    )


def is_within(node, number, ending):
    return node.get(f"min{ending}", -math.inf) <= number <= node.get(f"max{ending}", math.inf)


def build_values(node):
    """Values that fit the schema."""
    kinds = node.get("type")
    if "anyOf" in node:
        return st.one_of(st.none(), build_values(node["anyOf"][0]))
    if isinstance(kinds, list):
        return st.one_of(st.none(), build_values({**node, "type": kinds[0]}))
    low = next((node[key] for key in ("minLength", "minimum", "minItems") if key in node), None)
    high = next((node[key] for key in ("maxLength", "maximum", "maxItems") if key in node), None)
    match kinds:
        case "string":
            free = st.text(min_size=low or 0, max_size=6 if high is None else high)
            return st.sampled_from(node["enum"]) if "enum" in node else free
        case "integer":
            return st.integers(low, high)
        case "number":
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "array":
            top = (low or 0) + 2 if high is None else high
            return st.lists(build_values(node["items"]), min_size=low or 0, max_size=top)
        case _:
            properties = node["properties"]
            required = {name: build_values(properties[name]) for name in node["required"]}
            optional = {
                name: build_values(child)
                for name, child in properties.items()
                if name not in required
            }
            return st.fixed_dictionaries(required, optional=optional)


ALLOWED_NODES = (
    *(ast.Module, ast.ImportFrom, ast.alias, ast.ClassDef, ast.Expr, ast.Assign, ast.AnnAssign),
    *(ast.Name, ast.Load, ast.Store, ast.Subscript, ast.Tuple, ast.Call, ast.keyword),
    *(ast.Constant, ast.BinOp, ast.BitOr, ast.UnaryOp, ast.USub),
)
ALLOWED_NAMES = {"Annotated", "BaseModel", "ConfigDict", "Field", "Literal"} | {
    *("str", "int", "float", "bool", "list", "model_config"),
}


@settings(max_examples=40)
@given(schema=schemas)
def test_source_holds_nothing_but_classes_fields_and_literals(schema):
    """Whatever texts a proposal holds, the module has only the few kinds of code that the printer knows."""
    source = render_schema_source(schema)
    tree = ast.parse(source)
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    fields = {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert fields.isdisjoint(ALLOWED_NAMES | classes)
    assert classes.isdisjoint(ALLOWED_NAMES)
    for node in ast.walk(tree):
        assert isinstance(node, ALLOWED_NODES)
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            assert node.func.id in {"Field", "ConfigDict"}
        if isinstance(node, ast.Name):
            assert node.id in ALLOWED_NAMES | classes | fields
        if isinstance(node, ast.ImportFrom):
            assert node.module in {"typing", "pydantic"}


@settings(max_examples=40)
@given(schema=schemas)
def test_source_is_one_text_that_shows_all_it_holds(schema):
    """The same schema gives the same bytes, every character of them printable."""
    source = render_schema_source(schema)
    assert render_schema_source(json.loads(json.dumps(schema))) == source
    assert all(line.isprintable() for line in source.split("\n"))
    source.encode()


@settings(max_examples=40)
@given(data=st.data())
def test_model_accepts_what_the_schema_accepts(data):
    """The imported class and the schema agree on right answers and on wrong ones."""
    schema = data.draw(schemas)
    model = import_source(render_schema_source(schema))
    value = data.draw(build_values(schema))
    assert is_valid(schema, value)
    model.model_validate_json(json.dumps(value), strict=True)
    name = data.draw(st.one_of(names, st.sampled_from(list(schema["properties"]))))
    changed = {**value, name: data.draw(json_values)}
    assert is_accepted(model, changed) is is_valid(schema, changed)
    shorter = {key: child for key, child in value.items() if key != name}
    assert is_accepted(model, shorter) is is_valid(schema, shorter)


def is_accepted(model: type[BaseModel], value: object) -> bool:
    try:
        model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True


@settings(max_examples=40)
@given(schema=schemas)
def test_descriptions_and_names_arrive_as_they_were(schema):
    """Every text of the proposal stands in the printed model's own schema, character by character."""
    model = import_source(render_schema_source(schema))
    properties = model.model_json_schema()["properties"]
    assert list(properties) == list(schema["properties"])
    for name, node in schema["properties"].items():
        if "properties" not in node and node.get("description", "").strip():
            assert properties[name]["description"] == node["description"].strip()
