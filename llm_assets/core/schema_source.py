"""How a schema that a model proposed as data becomes the Python source of a schema module.

The source is printed by this project from a checked tree: class and field names are made of ASCII letters and
digits only, and every text of the model stands in it as a string literal. Nothing it wrote can be code.
"""

import keyword
import re
from dataclasses import dataclass, field

from llm_assets.core.json_schema import JsonObject, render_problems
from llm_assets.core.schema_proposal import parse_schema_shape
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
from llm_assets.errors import ConfigError

_HEADER = (
    '''"""What an answer of this task is. Made from a model's proposal; it is yours to edit."""'''
)
_CLOSED = '    model_config = ConfigDict(extra="forbid")'

_MODULE_NAMES = frozenset({"Annotated", "BaseModel", "ConfigDict", "Field", "Literal"})
_TYPE_NAMES = frozenset({"bool", "float", "int", "list", "str"})
_MODEL_ATTRIBUTES = frozenset(
    {
        "construct",
        "copy",
        "dict",
        "from_orm",
        "json",
        "parse_file",
        "parse_obj",
        "parse_raw",
        "schema",
        "schema_json",
        "update_forward_refs",
        "validate",
    }
)
"""Names that a Pydantic model has already, beside those that begin with `model_`."""

_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MAX_NAME_CHARS = 60


def render_schema_source(schema: JsonObject, *, model_name: str = "LLMOutput") -> str:
    """The module's source: the same text for the same schema.

    A field that the schema does not require may be null and is null by default, because that is how a model that
    must fill every field leaves one out.

    Raises `ConfigError` naming every place of the schema that is outside the subset.
    """
    if not model_name.isidentifier() or keyword.iskeyword(model_name):
        raise ConfigError(
            f"{model_name!r} cannot be the name of a class.",
            remedy="Choose another `schema.output_model`, such as `LLMOutput`.",
        )
    shape = parse_schema_shape(schema, root_name=model_name)
    if isinstance(shape, tuple):
        raise ConfigError(
            f"The proposed schema cannot be used; no file was written.\n{render_problems(shape)}",
            remedy="Make the description simpler, or write the schema module yourself.",
        )
    printer = _Printer()
    printer.add_class(shape, class_name=model_name)
    return printer.render()


@dataclass(slots=True, kw_only=True)
class _Printer:
    """One module under way: the classes so far, what is used before what uses it."""

    shapes: dict[str, ObjectShape] = field(default_factory=dict[str, ObjectShape])
    """What each class name stands for, so that equal shapes share a class."""
    blocks: list[str] = field(default_factory=list[str])

    def render(self) -> str:
        body = "\n\n\n".join(self.blocks)
        typing_names = [name for name in ("Annotated", "Literal") if f"{name}[" in body]
        pydantic_names = ["BaseModel", "ConfigDict", *(["Field"] if "Field(" in body else [])]
        imports = [f"from pydantic import {', '.join(pydantic_names)}"]
        if typing_names:
            imports = [f"from typing import {', '.join(typing_names)}", "", *imports]
        return "\n".join([_HEADER, "", *imports, "", "", body, ""])

    def add_class(self, shape: ObjectShape, *, class_name: str) -> None:
        self.shapes[class_name] = shape
        names = _build_field_names(shape.fields)
        lines = [
            self._render_field(child, name) for child, name in zip(shape.fields, names, strict=True)
        ]
        docstring = [f"    {_render_docstring(shape.description)}", ""] if shape.description else []
        head = [f"class {class_name}(BaseModel):", *docstring, _CLOSED, ""]
        self.blocks.append("\n".join([*head, *lines]))

    def _render_field(self, child: FieldShape, name: str) -> str:
        annotation = self._render_type(child.shape)
        if not child.is_required and not isinstance(child.shape, NullableShape):
            annotation += " | None"
        settings: list[str] = [] if child.is_required else ["default=None"]
        if name != child.name:
            settings.append(f"alias={_render_text(child.name)}")
        if child.description:
            settings.append(f"description={_render_text(child.description)}")
        value = f" = Field({', '.join(settings)})" if settings else ""
        return f"    {name}: {annotation}{value}"

    def _render_type(self, shape: Shape) -> str:
        match shape:
            case TextShape():
                return _annotate("str", _render_lengths(shape))
            case ChoiceShape():
                return f"Literal[{', '.join(_render_text(value) for value in shape.values)}]"
            case NumberShape():
                bounds = [f"{name}={value!r}" for name, value in shape.bounds]
                return _annotate("int" if shape.is_whole else "float", bounds)
            case BooleanShape():
                return "bool"
            case ListShape():
                note = shape.item_description
                notes = [f"description={_render_text(note)}"] if note else []
                item = _annotate(self._render_type(shape.item), notes)
                return _annotate(f"list[{item}]", _render_lengths(shape))
            case ObjectShape():
                return self._find_class(shape)
            case NullableShape():
                return f"{self._render_type(shape.shape)} | None"

    def _find_class(self, shape: ObjectShape) -> str:
        base = _build_class_name(shape.name)
        number = 1
        name = base
        while self.shapes.get(name, shape) != shape or name in _MODULE_NAMES:
            number += 1
            name = f"{base}{number}"
        if name not in self.shapes:
            self.add_class(shape, class_name=name)
        return name


def _annotate(base: str, settings: list[str]) -> str:
    return f"Annotated[{base}, Field({', '.join(settings)})]" if settings else base


def _render_lengths(shape: TextShape | ListShape) -> list[str]:
    lengths = {"min_length": shape.min_length, "max_length": shape.max_length}
    return [f"{name}={value}" for name, value in lengths.items() if value is not None]


def _render_text(text: str) -> str:
    """A string literal; `repr` escapes whatever does not print, so that nothing hides in the source."""
    literal = repr(text)
    has_quotes = "'" in text or '"' in text
    return literal if has_quotes else f'"{literal[1:-1]}"'


def _render_docstring(text: str) -> str:
    body = repr(text)[1:-1]
    is_plain = not {"'", '"', "\\"} & set(body)
    return f'"""{body}"""' if is_plain else _render_text(text)


def _build_class_name(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(word[0].upper() + word[1:] for word in words)[:_MAX_NAME_CHARS]
    is_usable = joined[:1].isalpha() and not keyword.iskeyword(joined)
    return joined if is_usable else f"Part{joined}"


def _build_field_names(fields: tuple[FieldShape, ...]) -> list[str]:
    """A Python name for each field: its own wherever that can be one."""
    names = [child.name if _is_usable(child.name) else "" for child in fields]
    taken = set(names)
    for position, child in enumerate(fields):
        if not names[position]:
            names[position] = _build_free_name(child.name, taken)
            taken.add(names[position])
    return names


def _build_free_name(name: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:_MAX_NAME_CHARS]
    base = f"{base}_" if _is_usable(f"{base}_") else f"field_{base}".rstrip("_")
    number = 1
    free = base
    while free in taken:
        number += 1
        free = f"{base.rstrip('_')}_{number}"
    return free


def _is_usable(name: str) -> bool:
    """Whether it can stand in a class body without hiding a name that the body or Pydantic needs."""
    is_plain = _PLAIN_NAME.fullmatch(name) is not None and len(name) <= _MAX_NAME_CHARS
    is_taken = name in _MODEL_ATTRIBUTES or name.startswith("model_") or keyword.iskeyword(name)
    return is_plain and not is_taken and name[0].islower() and name not in _TYPE_NAMES
