"""Which form of a schema a provider can hold a model to, and what has no such form.

Providers decode strictly only within a small part of JSON Schema: objects whose fields are all required, lists,
plain types, enumerations, unions and references. Everything else a schema says is put into words.
"""

import re
from dataclasses import dataclass, field

from pydantic import JsonValue

from llm_assets.config.endpoint import StructuredOutput
from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_schema import (
    DEFS_PREFIX,
    JsonObject,
    SchemaProblem,
    drop_echoing_titles,
)

_MAX_NAME_CHARS = 64

_WORDED = (
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "format",
    "pattern",
    "default",
    "examples",
)
"""Keywords that providers ignore or reject: they go on in the description, as `(minimum: 0, maximum: 1)`."""

_REFUSED = {
    "prefixItems": "each place of a tuple has a type of its own; use a list of one type, or a nested model",
    "patternProperties": "field names follow a pattern; list the fields, or use a list of name and value",
    "propertyNames": "field names are free; list the fields, or use a list of name and value",
    "unevaluatedProperties": "further fields are free; list the fields",
    "dependentSchemas": "fields depend on each other; check that in a validator",
    "dependentRequired": "fields depend on each other; check that in a validator",
    "not": "it says what is not allowed; say what is",
    "if": "it depends on a condition; use a union of models",
    "contains": "an item of a kind must be there; check that in a validator",
}
_FREE_KEYS = "keys are free here; list the fields, or use a list of name and value"
_ANY_VALUE = "any value is allowed here; name a type"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrictSchema:
    """A schema in the form that providers decode strictly."""

    schema: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """A schema without such a form: the step asks at a lower level and says so."""

    problems: tuple[SchemaProblem, ...]


def build_strict_schema(schema: JsonObject) -> StrictSchema | Unsupported:
    """The strict form of a model's JSON Schema, whose root is an object.

    Every field becomes required: one with a default is then filled by the model, which reads the default in the
    description. What the strict form cannot say is checked all the same, when the answer is validated.
    """
    root = drop_echoing_titles(schema, name=str(schema.get("title", "")))
    builder = _Builder(definitions=_read_map(root, "$defs"))
    return builder.build(
        root, title=str(schema.get("title") or _read_definition_name(schema) or "$")
    )


def decide_structured_output(
    level: StructuredOutput, strict: StrictSchema | Unsupported
) -> StructuredOutput:
    """The level that is really used: `json_schema` needs a strict form."""
    if level == "json_schema" and isinstance(strict, Unsupported):
        return "json_object"
    return level


def build_response_format(
    *, name: str, level: StructuredOutput, strict: StrictSchema | Unsupported
) -> JsonObject | None:
    """The request's `response_format` at this level, or at `json_object` where there is no strict form.

    None at the level `prompt`, where the prompt alone asks for JSON.
    """
    if level == "prompt":
        return None
    if level == "json_object" or isinstance(strict, Unsupported):
        return {"type": "json_object"}
    safe_name = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:_MAX_NAME_CHARS]
    return {
        "type": "json_schema",
        "json_schema": {"name": safe_name, "strict": True, "schema": strict.schema},
    }


@dataclass(slots=True, kw_only=True)
class _Builder:
    """One conversion under way: which definitions it needed and what it could not convert."""

    definitions: JsonObject
    converted: JsonObject = field(default_factory=dict[str, JsonValue])
    problems: dict[SchemaProblem, None] = field(default_factory=dict[SchemaProblem, None])

    def build(self, root: JsonValue, *, title: str) -> StrictSchema | Unsupported:
        node = dict(root) if isinstance(root, dict) else {}
        node.pop("$defs", None)
        name = _read_definition_name(node)
        if name is not None and name in self.definitions:
            node = self._merge_definition(node, name)
        schema = self._convert(node, path=title, inlined=() if name is None else (name,))
        if node.get("type") != "object":
            self._report(title, "the root of an answer must be an object")
        if self.problems:
            return Unsupported(problems=tuple(self.problems))
        return StrictSchema(
            schema={**schema, "$defs": self.converted} if self.converted else schema
        )

    def _convert(self, node: JsonValue, *, path: str, inlined: tuple[str, ...]) -> JsonObject:
        """`inlined` names the definitions that this node was copied out of."""
        if not isinstance(node, dict) or not _says_type(node):
            self._report(path, _ANY_VALUE)
            return {}
        if "$ref" in node:
            return self._convert_ref(node, path=path, inlined=inlined)
        if "allOf" in node:
            return self._convert_all_of(node, path=path, inlined=inlined)
        for keyword, sentence in _REFUSED.items():
            if keyword in node:
                self._report(path, sentence)
        result: JsonObject = {key: node[key] for key in ("type", "enum", "const") if key in node}
        if not {"type", "anyOf", "oneOf"} & node.keys():
            result["type"] = self._decide_type(node, path=path)
        result |= self._convert_parts(node, path=path, inlined=inlined)
        description = _describe(node)
        return {"description": description, **result} if description else result

    def _convert_parts(
        self, node: JsonObject, *, path: str, inlined: tuple[str, ...]
    ) -> JsonObject:
        kinds = node.get("type")
        result: JsonObject = {}
        if kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
            result |= self._convert_fields(node, path=path, inlined=inlined)
        if (kinds == "array" or (isinstance(kinds, list) and "array" in kinds)) and (
            "prefixItems" not in node
        ):
            items = node.get("items", True)
            result["items"] = self._convert(items, path=f"{path}[]", inlined=inlined)
        options = node.get("anyOf", node.get("oneOf"))
        if isinstance(options, list):
            result["anyOf"] = [
                self._convert(option, path=path, inlined=inlined) for option in options
            ]
        return result

    def _convert_fields(
        self, node: JsonObject, *, path: str, inlined: tuple[str, ...]
    ) -> JsonObject:
        properties = _read_map(node, "properties")
        if node.get("additionalProperties", bool(not properties)) is not False:
            self._report(path, _FREE_KEYS)
        return {
            "properties": {
                name: self._convert(child, path=f"{path}.{name}", inlined=inlined)
                for name, child in properties.items()
            },
            "required": list(properties),
            "additionalProperties": False,
        }

    def _convert_ref(self, node: JsonObject, *, path: str, inlined: tuple[str, ...]) -> JsonObject:
        """A bare reference stays one; one with words beside it becomes a copy that carries them."""
        name = _read_definition_name(node)
        if name is None or name not in self.definitions:
            self._report(path, f"it refers to {node['$ref']!r}, which is not part of the schema")
            return {}
        description = _describe(node)
        if description and name not in inlined:
            merged = self._merge_definition(node, name)
            return self._convert(merged, path=path, inlined=(*inlined, name))
        if name not in self.converted:
            self.converted[name] = {}
            definition = self.definitions[name]
            self.converted[name] = self._convert(definition, path=name, inlined=(name,))
        ref: JsonObject = {"$ref": f"{DEFS_PREFIX}{name}"}
        return {"description": description, "anyOf": [ref]} if description else ref

    def _convert_all_of(
        self, node: JsonObject, *, path: str, inlined: tuple[str, ...]
    ) -> JsonObject:
        parts = node["allOf"]
        if not isinstance(parts, list) or len(parts) != 1 or not isinstance(parts[0], dict):
            self._report(path, "several schemas hold at once; write one model with all fields")
            return {}
        rest = {key: value for key, value in node.items() if key != "allOf"}
        return self._convert({**parts[0], **rest}, path=path, inlined=inlined)

    def _merge_definition(self, node: JsonObject, name: str) -> JsonObject:
        definition = self.definitions[name]
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {**definition, **beside} if isinstance(definition, dict) else beside

    def _decide_type(self, node: JsonObject, *, path: str) -> JsonValue:
        """The type of an enumeration that does not say it; providers ask for one."""
        values = node["enum"] if "enum" in node else [node.get("const")]
        listed = values if isinstance(values, list) else []
        names = list(dict.fromkeys(_name_type(value) for value in listed))
        if not names or "" in names:
            self._report(path, "only texts, numbers, booleans and null can be listed")
        return names[0] if len(names) == 1 else list[JsonValue](names)

    def _report(self, path: str, sentence: str) -> None:
        self.problems[SchemaProblem(path=path, sentence=sentence)] = None


def _says_type(node: JsonObject) -> bool:
    return bool(
        {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", *_REFUSED} & node.keys()
    )


def _read_map(node: JsonValue, keyword: str) -> JsonObject:
    value = node.get(keyword) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else {}


def _read_definition_name(node: JsonObject) -> str | None:
    ref = node.get("$ref")
    if not isinstance(ref, str) or not ref.startswith(DEFS_PREFIX):
        return None
    return ref.removeprefix(DEFS_PREFIX)


def _name_type(value: JsonValue) -> str:
    """The JSON name of a plain value's type; nothing for lists and objects."""
    names: dict[type, str] = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        type(None): "null",
    }
    return names.get(type(value), "")


def _describe(node: JsonObject) -> str:
    """The description, and in brackets what the strict form has no place for."""
    given = [node.get(keyword) for keyword in ("title", "description")]
    texts = [text.strip() for text in given if isinstance(text, str) and text.strip()]
    limits = [
        f"{keyword}: {render_json(node[keyword])}"
        for keyword in _WORDED
        if node.get(keyword) is not None
    ]
    words = ": ".join(texts)
    return f"{words} ({', '.join(limits)})".lstrip() if limits else words
