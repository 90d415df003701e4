"""Which columns a review workbook has, and what a person may put into each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import JsonValue

from llm_assets.core.export_columns import ExportColumn, build_unique_names
from llm_assets.core.export_values import ColumnKind
from llm_assets.core.field_facts import describe_field
from llm_assets.core.json_schema import DEFS_PREFIX
from llm_assets.core.output_forms import OutputForm, Path, build_form_columns
from llm_assets.core.schema_fields import Schema, get_mapping, list_unknown_fields, resolve_schema
from llm_assets.core.values import FrozenModel

ColumnRole = Literal[
    "work_id",
    "input_sha256",
    "input",
    "output",
    "gate_value",
    "why",
    "decision",
    "note",
    "reviewer",
]

_ROLE_KINDS: dict[ColumnRole, ColumnKind] = {
    "work_id": "text",
    "input_sha256": "text",
    "gate_value": "number",
    "why": "text",
    "decision": "text",
    "note": "text",
    "reviewer": "text",
}
_ABOUT: dict[ColumnRole, str] = {
    "decision": "approve: publish the output as it is. edit: publish it with your changes. reject: do not publish it. "
    "Leave it empty to decide later.",
    "note": "Why you decided so. It is kept with the decision.",
    "reviewer": "Your name. It is kept with the decision.",
}
FILLED_IN: tuple[ColumnRole, ...] = ("decision", "note", "reviewer")
"""What a person fills in beside the output."""


class ReviewColumn(FrozenModel):
    """One column of the sheet."""

    name: str
    """As it stands in the header; unique."""
    role: ColumnRole
    path: tuple[str, ...] = ()
    """The keys that lead to the value in the item's input or output."""
    kind: ColumnKind = "text"
    choices: tuple[JsonValue, ...] = ()
    """The only values there are; none where others may stand there, too."""
    minimum: float | None = None
    maximum: float | None = None
    is_nullable: bool = True
    """Whether an empty cell means that there is no value."""
    is_editable: bool = False
    about: str | None = None
    """For the person in the sheet."""


def build_review_columns(
    shown_columns: Sequence[str], forms: Sequence[OutputForm]
) -> tuple[ReviewColumn, ...]:
    """The ids, the input, the output, what the gate saw, and what a person fills in.

    Of two columns of one name, that of the input takes another: `input.<name>`, then that of the output.
    """
    outputs = [(column, form) for form in forms for column in build_form_columns(form)]
    inputs = [
        ExportColumn(name=name, source="input", path=(name,), kind="text") for name in shown_columns
    ]
    own = [
        ExportColumn(name=role, source="status", path=(role,), kind=kind)
        for role, kind in _ROLE_KINDS.items()
    ]
    named = build_unique_names([*own, *(column for column, _ in outputs), *inputs])
    names = {(column.source, column.path): column.name for column in named}
    ids, rest = own[:2], own[2:]
    return (
        *_draw_own(ids),
        *(
            ReviewColumn(name=names["input", column.path], role="input", path=column.path)
            for column in inputs
        ),
        *(
            _build_output_column(column, form, name=names["output", column.path])
            for column, form in outputs
        ),
        *_draw_own(rest),
    )


def _draw_own(columns: Iterable[ExportColumn]) -> Iterator[ReviewColumn]:
    roles: Mapping[str, ColumnRole] = {role: role for role in _ROLE_KINDS}
    for column in columns:
        role = roles[column.path[0]]
        yield ReviewColumn(
            name=column.name,
            role=role,
            kind=column.kind,
            is_editable=role in FILLED_IN,
            about=_ABOUT.get(role),
        )


def _build_output_column(column: ExportColumn, form: OutputForm, *, name: str) -> ReviewColumn:
    path = column.path[len(form.prefix) :]
    written, read = form.written_schema, form.read_schema
    facts = describe_field(written, path)
    field = _find_field(read, path)
    return ReviewColumn(
        name=name,
        role="output",
        path=column.path,
        kind=column.kind,
        choices=_list_choices(field),
        minimum=_find_bound(field, "minimum"),
        maximum=_find_bound(field, "maximum"),
        is_nullable=_is_nullable(read, _find_raw_field(read, path)),
        # What the model computes itself is not read back.
        is_editable=list_unknown_fields(read, path) is None,
        about="; ".join(filter(None, [facts.description, *facts.rules])) or None,
    )


def _find_field(document: Schema, path: Path) -> Schema:
    """The schema that a path leads to, behind references and behind "or null"."""
    return resolve_schema(document, _find_raw_field(document, path))


def _find_raw_field(document: Schema, path: Path) -> Schema:
    at = document
    for name in path:
        field = get_mapping(resolve_schema(document, at), "properties").get(name)
        at = field if isinstance(field, dict) else {}
    return at


def _is_nullable(document: Schema, schema: Schema) -> bool:
    """Whether null is one of the values; where nothing is said, every value is."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        definition = get_mapping(document, "$defs").get(reference.removeprefix(DEFS_PREFIX))
        return isinstance(definition, dict) and _is_nullable(document, definition)
    for keyword in ("anyOf", "oneOf"):
        choices = schema.get(keyword)
        if isinstance(choices, list):
            return any(isinstance(each, dict) and _is_nullable(document, each) for each in choices)
    kind, values = schema.get("type"), schema.get("enum")
    if kind is not None:
        return kind == "null" or (isinstance(kind, list) and "null" in kind)
    return None in values if isinstance(values, list) else schema.get("const") is None


def _list_choices(field: Schema) -> tuple[JsonValue, ...]:
    if "const" in field:
        return (field["const"],)
    choices = field.get("enum")
    return tuple(each for each in choices if each is not None) if isinstance(choices, list) else ()


def _find_bound(field: Schema, keyword: str) -> float | None:
    bound = field.get(keyword)
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return None
    return float(bound)
