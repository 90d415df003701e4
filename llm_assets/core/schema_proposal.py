"""Whether a JSON Schema that a model proposed is one that a schema module can be printed from.

Whatever stands in it outside the subset is refused with its place, so that a model or a person can mend it.
"""

from dataclasses import dataclass, field

from pydantic import JsonValue

from llm_assets.core.json_schema import DEFS_PREFIX, JsonObject, SchemaProblem
from llm_assets.core.schema_findings import BOUNDS, NOTES, Findings, Place, quote
from llm_assets.core.schema_shape import (
    BooleanShape,
    ChoiceShape,
    FieldShape,
    ListShape,
    NullableShape,
    NumberShape,
    ObjectShape,
    Shape,
    TextShape,
)

MAX_DEPTH = 6
MAX_PARTS = 400
MAX_CHOICES = 500

_OBJECT = frozenset({"type", "properties", "required", "additionalProperties", "$defs"})
_ARRAY = frozenset({"type", "items", "minItems", "maxItems"})
_TEXT = frozenset({"type", "minLength", "maxLength"})
_CHOICE = frozenset({"type", "enum"})
_NUMBER = frozenset({"type", *BOUNDS})
_BOOLEAN = frozenset({"type"})
_REF = frozenset({"$ref", "$defs"})
_NULL: JsonValue = {"type": "null"}


def parse_schema_shape(
    schema: JsonObject, *, root_name: str
) -> ObjectShape | tuple[SchemaProblem, ...]:
    """What the schema describes, or everything in it that is outside the subset."""
    definitions = schema.get("$defs")
    reader = _Reader(definitions=definitions if isinstance(definitions, dict) else {})
    place = Place(path=root_name, name=root_name, depth=0, refs=())
    shape = reader.read(schema, place)
    if shape is not None and not isinstance(shape, ObjectShape):
        reader.findings.report(place, "the root must be an object with fields")
    if isinstance(shape, ObjectShape) and not reader.findings.problems:
        return shape
    return tuple(dict.fromkeys(reader.findings.problems))


@dataclass(slots=True, kw_only=True)
class _Reader:
    """One reading under way; its methods return None where they have reported a problem."""

    definitions: JsonObject
    findings: Findings = field(default_factory=Findings)
    n_parts: int = 0

    def read(self, node: JsonValue, place: Place) -> Shape | None:
        self.n_parts += 1
        if self.n_parts > MAX_PARTS:
            if self.n_parts == MAX_PARTS + 1:
                self.findings.report(place, f"the schema has more than {MAX_PARTS} parts")
            return None
        if max(place.depth, len(place.refs)) > MAX_DEPTH:
            self.findings.report(place, f"it is nested deeper than {MAX_DEPTH} levels")
            return None
        if not isinstance(node, dict):
            self.findings.report(place, "a schema is an object with a `type`")
            return None
        present = _drop_null(node)
        shape = self._read_present(node if present is None else present, place)
        if shape is None or present is None or isinstance(shape, NullableShape):
            return shape
        return NullableShape(shape=shape)

    def _read_present(self, node: JsonObject, place: Place) -> Shape | None:
        """The shape of what is not null."""
        if "$ref" in node:
            return self._read_ref(node, place)
        if "enum" in node:
            return self._read_choice(node, place)
        match node.get("type"):
            case "object":
                return self._read_object(node, place)
            case "array":
                return self._read_list(node, place)
            case "string":
                return self._read_text(node, place)
            case "integer" | "number" as kind:
                is_whole = kind == "integer"
                self.findings.check_keywords(node, _NUMBER, place)
                bounds = self.findings.read_bounds(node, place, is_whole=is_whole)
                return NumberShape(is_whole=is_whole, bounds=bounds)
            case "boolean":
                self.findings.check_keywords(node, _BOOLEAN, place)
                return BooleanShape()
            case other:
                self.findings.report(
                    place,
                    f"`type` is {quote(other)}; it must be object, array, string, integer, number or boolean, or a "
                    'list of one of them and "null"',
                )
                return None

    def _read_ref(self, node: JsonObject, place: Place) -> Shape | None:
        self.findings.check_keywords(node, _REF, place)
        ref = node["$ref"]
        name = ref.removeprefix(DEFS_PREFIX) if isinstance(ref, str) else ""
        if not isinstance(ref, str) or not ref.startswith(DEFS_PREFIX):
            problem = f"`$ref` is {quote(ref)}; only `#/$defs/...` can be referred to"
        elif name not in self.definitions:
            problem = f"`$defs` holds no {quote(name)}"
        elif name in place.refs:
            problem = f"{quote(name)} contains itself; write out the levels you need"
        else:
            return self.read(self.definitions[name], place.enter_definition(name))
        self.findings.report(place, problem)
        return None

    def _read_object(self, node: JsonObject, place: Place) -> ObjectShape | None:
        self.findings.check_keywords(node, _OBJECT, place)
        if node.get("additionalProperties", False) is not False:
            self.findings.report(place, "`additionalProperties` must be false; list the fields")
        properties = node.get("properties")
        if not isinstance(properties, dict) or not properties:
            self.findings.report(place, "an object needs `properties`")
            return None
        required = self._read_required(node, properties, place)
        fields = [
            self._read_field(name, child, place=place, is_required=name in required)
            for name, child in properties.items()
        ]
        return ObjectShape(
            name=place.name,
            description=self.findings.read_description(node, place),
            fields=tuple(child for child in fields if child is not None),
        )

    def _read_field(
        self, name: str, node: JsonValue, *, place: Place, is_required: bool
    ) -> FieldShape | None:
        inside = place.enter_field(name)
        self.findings.check_text(name, "a field's name", inside)
        if not name.strip():
            self.findings.report(inside, "a field has no name")
        shape = self.read(node, inside)
        if shape is None:
            return None
        note = self._read_note(node, inside)
        return FieldShape(name=name, shape=shape, description=note, is_required=is_required)

    def _read_required(
        self, node: JsonObject, properties: JsonObject, place: Place
    ) -> frozenset[str]:
        required = node.get("required", [])
        names = required if isinstance(required, list) else [required]
        known = [name for name in names if isinstance(name, str) and name in properties]
        if len(known) < len(names) or not isinstance(required, list):
            unknown = [name for name in names if name not in known]
            self.findings.report(place, f"`required` is to list fields; it holds {quote(unknown)}")
        return frozenset(known)

    def _read_list(self, node: JsonObject, place: Place) -> ListShape | None:
        self.findings.check_keywords(node, _ARRAY, place)
        least, most = self.findings.read_lengths(node, ("minItems", "maxItems"), place)
        items = node.get("items")
        inside = place.enter_items()
        item = self.read(items, inside)
        if item is None:
            return None
        note = self._read_note(items, inside)
        return ListShape(item=item, item_description=note, min_length=least, max_length=most)

    def _read_text(self, node: JsonObject, place: Place) -> TextShape:
        self.findings.check_keywords(node, _TEXT, place)
        least, most = self.findings.read_lengths(node, ("minLength", "maxLength"), place)
        return TextShape(min_length=least, max_length=most)

    def _read_choice(self, node: JsonObject, place: Place) -> ChoiceShape | None:
        self.findings.check_keywords(node, _CHOICE, place)
        if node.get("type", "string") != "string":
            self.findings.report(
                place, f"`enum` goes with type 'string', not {quote(node['type'])}"
            )
        values = node["enum"]
        listed = values if isinstance(values, list) else []
        texts = [value for value in listed if isinstance(value, str)]
        if not texts or len(texts) < len(listed):
            self.findings.report(place, "`enum` must be a list of texts")
            return None
        if len(texts) > MAX_CHOICES:
            self.findings.report(place, f"`enum` has more than {MAX_CHOICES} values")
        for text in texts:
            self.findings.check_text(text, "a value of `enum`", place)
        return ChoiceShape(values=tuple(dict.fromkeys(texts)))

    def _read_note(self, node: JsonValue, place: Place) -> str:
        """The description of a field or item; that of a nested object stands in its class instead."""
        if not isinstance(node, dict) or "properties" in node:
            return ""
        own = self.findings.read_description(node, place)
        return own or self._read_note(_drop_null(node), place)


def _drop_null(node: JsonObject) -> JsonObject | None:
    """What a node allows beside null, or None where it does not allow null."""
    kinds = node.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        rest = [kind for kind in kinds if kind != "null"]
        return _drop_null_choice({**node, "type": rest[0] if len(rest) == 1 else rest})
    if node.get("nullable") is True:
        return _drop_null_choice({key: node[key] for key in node if key != "nullable"})
    options = node.get("anyOf")
    if isinstance(options, list) and len(options) == 2 and _NULL in options:
        option = options[0] if options[1] == _NULL else options[1]
        beside = {key: node[key] for key in node if key not in NOTES and key != "anyOf"}
        return {**beside, **option} if isinstance(option, dict) else None
    return None


def _drop_null_choice(node: JsonObject) -> JsonObject:
    values = node.get("enum")
    if not isinstance(values, list):
        return node
    return {**node, "enum": [value for value in values if value is not None]}
