"""Which fields a text answer has, by which names, and what each of them holds.

The output model says it: a text is a section or what stands behind a label, a list its items, a number a score
between its bounds, a choice one of its words, a nested model a section with labels of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, JsonValue

from llm_assets.config.answer import AnswerSettings
from llm_assets.core.json_schema import DEFS_PREFIX, JsonObject, build_json_schema
from llm_assets.core.text_labels import Labels, spell_name
from llm_assets.errors import ConfigError, suggest

TRUTHS: Mapping[str, JsonValue] = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField:
    """Any text."""

    is_nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberField:
    """A number between its bounds."""

    is_nullable: bool = False
    low: float | None = None
    high: float | None = None
    is_integer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceField:
    """One of several words, each with the value it stands for."""

    is_nullable: bool = False
    options: Mapping[str, JsonValue]


PlainField = TextField | NumberField | ChoiceField


@dataclass(frozen=True, slots=True, kw_only=True)
class ListField:
    """Items of one kind."""

    item: PlainField


@dataclass(frozen=True, kw_only=True)
class RecordField:
    """Fields under names of their own."""

    members: Mapping[str, "NamedField"]

    @cached_property
    def labels(self) -> Labels:
        """The names of all members."""
        return Labels({name: member.names for name, member in self.members.items()})

    @cached_property
    def lists(self) -> frozenset[str]:
        """The members that hold lists."""
        return frozenset(
            name for name, member in self.members.items() if isinstance(member.holds, ListField)
        )


Field = PlainField | ListField | RecordField


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedField:
    """One field of a model."""

    names: tuple[str, ...]
    """What it is called in a text; the first one is what messages say."""
    holds: Field
    is_required: bool


def build_text_form(model: type[BaseModel], settings: AnswerSettings) -> RecordField:
    """What is taken from a text for the model.

    `ConfigError` names every field that no text can give, names that two fields share, and settings for fields
    that the model does not have.
    """
    schema = build_json_schema(model)
    reader = _Reader(schema)
    form = reader.read_record(reader.resolve(schema), path="", settings=settings)
    problems = [*reader.problems, *_find_unknown(form, settings), *_find_shared(form)]
    if problems:
        raise ConfigError(
            f"The output model {model.__name__!r} cannot be taken from a text answer: {' '.join(problems)}",
            remedy="Use texts, numbers, choices, lists of these and nested models, or `answer: json`.",
        )
    return form


class _Reader:
    """Reads one JSON Schema, and keeps what it cannot use."""

    def __init__(self, schema: JsonObject) -> None:
        self._definitions = schema.get("$defs")
        self._open: list[JsonObject] = []
        self.problems: list[str] = []

    def read_record(self, node: JsonObject, *, path: str, settings: AnswerSettings) -> RecordField:
        properties, required = node.get("properties"), node.get("required")
        members: dict[str, NamedField] = {}
        self._open.append(node)
        for name, child in (properties if isinstance(properties, dict) else {}).items():
            place = f"{path}.{name}" if path else name
            own = child if isinstance(child, dict) else {}
            title = own.get("title")
            names = (str(title or name), name, *settings.aliases.get(place, ()))
            holds = self._read(own, path=place, settings=settings)
            if holds is not None:
                members[name] = NamedField(
                    names=tuple(dict.fromkeys(names)),
                    holds=holds,
                    is_required=(isinstance(required, list) and name in required)
                    or place in settings.required,
                )
        self._open.pop()
        return RecordField(members=members)

    def _read(self, node: JsonObject, *, path: str, settings: AnswerSettings) -> Field | None:
        resolved = self.resolve(node)
        if resolved.get("properties") and resolved not in self._open:
            return self.read_record(resolved, path=path, settings=settings)
        if resolved.get("type") == "array" and isinstance(resolved.get("items"), dict):
            items = resolved["items"]
            item = self._read_plain(items if isinstance(items, dict) else {})
            if item is not None:
                return ListField(item=item)
        plain = self._read_plain(node)
        if plain is None:
            self.problems.append(f"`{path}` has a type that no text gives.")
        return plain

    def _read_plain(self, node: JsonObject) -> PlainField | None:
        is_nullable, resolved = self._has_null(node), self.resolve(node)
        options = [resolved["const"]] if "const" in resolved else resolved.get("enum")
        if isinstance(options, list):
            spelled = {str(option): option for option in options if option is not None}
            return ChoiceField(options=spelled, is_nullable=is_nullable or None in options)
        match resolved.get("type"):
            case "string":
                return TextField(is_nullable=is_nullable)
            case "integer" | "number" as kind:
                return NumberField(
                    low=_read_bound(resolved, "minimum", "exclusiveMinimum"),
                    high=_read_bound(resolved, "maximum", "exclusiveMaximum"),
                    is_integer=kind == "integer",
                    is_nullable=is_nullable,
                )
            case "boolean":
                return ChoiceField(options=TRUTHS, is_nullable=is_nullable)
            case _:
                return None

    def resolve(self, node: JsonObject) -> JsonObject:
        """The node behind references and behind "or null"."""
        reference = node.get("$ref")
        if isinstance(reference, str) and isinstance(self._definitions, dict):
            target = self._definitions.get(reference.removeprefix(DEFS_PREFIX))
            return self.resolve(target) if isinstance(target, dict) else node
        for keyword in "anyOf", "allOf":
            solid = [option for option in _list_options(node, keyword) if not _is_null(option)]
            if len(solid) == 1:
                return self.resolve(solid[0])
        return node

    @staticmethod
    def _has_null(node: JsonObject) -> bool:
        return any(map(_is_null, _list_options(node, "anyOf")))


def _list_options(node: JsonObject, keyword: str) -> list[JsonObject]:
    options = node.get(keyword)
    return [each for each in options if isinstance(each, dict)] if isinstance(options, list) else []


def _is_null(node: JsonObject) -> bool:
    return node.get("type") == "null"


def _read_bound(node: JsonObject, *keywords: str) -> float | None:
    """The bound itself; whether the number may be equal to it is left to the model."""
    for keyword in keywords:
        bound = node.get(keyword)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            return float(bound)
    return None


def _list_places(form: RecordField, path: str = "") -> dict[str, NamedField]:
    places: dict[str, NamedField] = {}
    for name, member in form.members.items():
        place = f"{path}.{name}" if path else name
        places[place] = member
        if isinstance(member.holds, RecordField):
            places |= _list_places(member.holds, place)
    return places


def _find_unknown(form: RecordField, settings: AnswerSettings) -> list[str]:
    places = _list_places(form)
    named = {"aliases": tuple(settings.aliases), "required": settings.required}
    return [
        f"`answer.{key}` names {name!r}, which is no field. {suggest(name, places)}".strip()
        for key, names in named.items()
        for name in names
        if name not in places
    ]


def _find_shared(form: RecordField, path: str = "") -> list[str]:
    owners: dict[str, str] = {}
    problems: list[str] = []
    for name, member in form.members.items():
        for spelling in member.names:
            owner = owners.setdefault(spell_name(spelling), name)
            if owner != name:
                problems.append(f"`{path}{owner}` and `{path}{name}` are both called {spelling!r}.")
        if isinstance(member.holds, RecordField):
            problems += _find_shared(member.holds, f"{path}{name}.")
    return problems
