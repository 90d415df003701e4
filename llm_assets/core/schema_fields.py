"""Which fields an output has under its JSON Schema."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from llm_assets.core.json_schema import DEFS_PREFIX

Schema = Mapping[str, JsonValue]
CHOICES = ("anyOf", "oneOf", "allOf")
NULL: JsonValue = {"type": "null"}


def resolve_schema(document: Schema, schema: Schema) -> Schema:
    """The schema itself, behind references into the document and behind "or null"."""
    *_, last = list_forms(document, schema)
    return last


def list_forms(document: Schema, schema: Schema) -> Iterator[Schema]:
    """The schema, then what it refers to or is the only choice beside null, and so on; the outermost one first."""
    seen: list[Schema] = []
    following: Schema | None = schema
    # Two models can refer to each other without end.
    while following is not None and all(following is not form for form in seen):
        seen.append(following)
        yield following
        following = _find_next(document, following)


def _find_next(document: Schema, schema: Schema) -> Schema | None:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = get_mapping(document, "$defs").get(reference.removeprefix(DEFS_PREFIX))
        return found if isinstance(found, dict) else None
    for keyword in CHOICES:
        solid = [choice for choice in get_list(schema, keyword) if choice != NULL]
        if len(solid) == 1 and isinstance(solid[0], dict):
            return solid[0]
    return None


def has_fixed_fields(schema: Schema) -> bool:
    """Whether it is an object whose fields are known, and no others may come."""
    return bool(schema.get("properties")) and not schema.get("additionalProperties")


def get_mapping(schema: Schema, key: str) -> Schema:
    """The object under a keyword; an empty one where there is none."""
    value = schema.get(key)
    return value if isinstance(value, dict) else {}


def get_list(schema: Schema, key: str) -> list[JsonValue]:
    """The list under a keyword; an empty one where there is none."""
    value = schema.get(key)
    return value if isinstance(value, list) else []


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
