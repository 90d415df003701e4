"""Which number of an output a gate looks at, and whether there can be one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.config.gate import GateSettings
from llm_assets.core.output_forms import OutputForm, Path
from llm_assets.core.schema_fields import Schema, get_mapping, list_unknown_fields, resolve_schema
from llm_assets.errors import ConfigError, suggest

_NO_NUMBERS = {
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """A gate whose field is known."""

    field: str
    """As the config names it."""
    path: Path
    """The keys that lead to the number in an item's output."""
    at_least: float


def build_gate_rule(settings: GateSettings, forms: Sequence[OutputForm]) -> GateRule:
    """The gate of a task. `forms` are those of its steps in their order.

    `ConfigError` where the outputs have no such field, or one that is never a number. Asked before the first call:
    behind a misspelt field every answer that was paid for would wait for a person.
    """
    form, fields = _find_form(settings.field, forms)
    written = form.written_schema
    known = list_unknown_fields(written, fields)
    if known is not None:
        raise _build_unknown_error(settings.field, form, known, forms)
    kind = _find_kind(form.read_schema, fields)
    if isinstance(kind, str) and kind in _NO_NUMBERS:
        raise ConfigError(
            f"`gate.field` names {settings.field!r}, which is {_NO_NUMBERS[kind]} and never a number "
            f"in the output model {form.model.__name__}; nothing was sent.",
            remedy="Name a field with a number, such as a confidence.",
        )
    return GateRule(field=settings.field, path=(*form.prefix, *fields), at_least=settings.at_least)


def _find_form(field: str, forms: Sequence[OutputForm]) -> tuple[OutputForm, Path]:
    """The step that a field belongs to, and its path there."""
    parts = tuple(field.split("."))
    named = next((form for form in forms if form.step == parts[0] and len(parts) > 1), None)
    return (forms[-1], parts) if named is None else (named, parts[1:])


def _build_unknown_error(
    field: str, form: OutputForm, known: Sequence[str], forms: Sequence[OutputForm]
) -> ConfigError:
    *around, last = field.split(".")
    choices = [".".join((*around, name)) for name in known]
    if form is forms[-1] and not around:
        choices += [
            f"{each.step}.{name}"
            for each in forms
            if each.step is not None and each is not form
            for name in get_mapping(each.written_schema, "properties")
        ]
    hint = suggest(field, choices)
    there = f"There is {', '.join(choices)}." if choices else "It has no fields."
    return ConfigError(
        f"`gate.field` names {field!r}, and the output model {form.model.__name__} has no field {last!r}"
        f"{' there' if around else ''}; nothing was sent.",
        remedy=f"{hint} {there}".strip(),
    )


def _find_kind(document: Schema, path: Path) -> JsonValue:
    """The type of the field that a path leads to; None where it may have several, or is not known."""
    at = resolve_schema(document, document)
    for name in path:
        field = get_mapping(at, "properties").get(name)
        at = resolve_schema(document, field if isinstance(field, dict) else {})
    return at.get("type")
