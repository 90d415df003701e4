"""Which fields an output has under its JSON Schema."""

from collections.abc import Mapping

from pydantic import JsonValue

from llm_assets.core.json_schema import DEFS_PREFIX

Schema = Mapping[str, JsonValue]


def resolve_schema(document: Schema, schema: Schema) -> Schema:
    """The schema itself, behind references into the document and behind "or null"."""
    for keyword in ("anyOf", "oneOf", "allOf"):
        choices = schema.get(keyword)
        if isinstance(choices, list):
            solid = [entry for entry in choices if entry != {"type": "null"}]
            if len(solid) == 1 and isinstance(solid[0], dict):
                return resolve_schema(document, solid[0])
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    definition = get_mapping(document, "$defs").get(reference.removeprefix(DEFS_PREFIX))
    return resolve_schema(document, definition) if isinstance(definition, dict) else {}


def has_fixed_fields(schema: Schema) -> bool:
    """Whether it is an object whose fields are known, and no others may come."""
    return bool(schema.get("properties")) and not schema.get("additionalProperties")


def get_mapping(schema: Schema, key: str) -> Schema:
    """The object under a keyword; an empty one where there is none."""
    value = schema.get(key)
    return value if isinstance(value, dict) else {}


def is_declared(document: Schema, path: tuple[str, ...]) -> bool:
    """Whether every name of a path is a field that the schema names."""
    at = resolve_schema(document, document)
    for name in path:
        field = get_mapping(at, "properties").get(name)
        if not isinstance(field, dict):
            return False
        at = resolve_schema(document, field)
    return True


def list_unknown_fields(document: Schema, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The fields there are where the first unknown name of a path stands; None where the path may lead somewhere.

    What stands in free objects, in lists and in choices between objects is not known before it is there.
    """
    at = resolve_schema(document, document)
    for name in path:
        if not has_fixed_fields(at):
            return None
        fields = get_mapping(at, "properties")
        if name not in fields:
            return tuple(fields)
        field = fields[name]
        at = resolve_schema(document, field if isinstance(field, dict) else {})
    return None
