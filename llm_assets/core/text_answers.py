"""What a text answer says: the fields of the output model, taken from markdown.

A part that is missing, or that gives no value of its field's type, makes the answer invalid where the field is
required: the model is asked again and told what is missing. Where the field has a default, the default stands in
and the answer is accepted with a note. Either way nothing is moved to fit: a score out of its bounds counts as a
part that gives no value.

A model that is asked again is told of the required parts alone, so that a further optional field changes no call.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, JsonValue

from llm_assets.core.answers import InvalidAnswer, ValidAnswer, validate_answer
from llm_assets.core.characters import replace_unstorable
from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_search import drop_thinking
from llm_assets.core.text_form import NamedField, RecordField, TextField
from llm_assets.core.text_labels import NO_LEVEL
from llm_assets.core.text_lines import Line, parse_lines
from llm_assets.core.text_parts import Part, split_parts
from llm_assets.core.text_values import Unread, read_value, render_lines

MAX_PROBLEMS_SHOWN = 8

_WRAPPED = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*(?:markdown|md|text|txt|plaintext)?[ \t]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """The values that were found, and why others were not."""

    path: str
    """Of what these are the fields, with a dot at its end; nothing for the answer itself."""
    values: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    problems: dict[str, str] = field(default_factory=dict[str, str])
    """By field: why a part gives no value, or what else is to be said about it."""


def parse_text_answer(
    text: str, form: RecordField, output_model: type[BaseModel]
) -> ValidAnswer | InvalidAnswer:
    """Read a complete answer. Never raises; an answer without any of the parts is invalid, or all defaults.

    `form` is that of the model, from `build_text_form`.
    """
    reading = _read_record(form, drop_thinking(replace_unstorable(text)))
    required = {name for name, member in form.members.items() if member.is_required}
    while True:
        missing = [name for name in form.members if name in required - reading.values.keys()]
        if missing:
            return InvalidAnswer(problem=_render_problems(reading, missing))
        judged = validate_answer(render_json(reading.values), output_model)
        if isinstance(judged, ValidAnswer):
            return replace(judged, parse_errors=tuple(dict.fromkeys(reading.problems.values())))
        faulty = set(judged.fields) & reading.values.keys()
        if not faulty or faulty & required:
            return judged
        for name in faulty:  # fields with a default, which stands in
            del reading.values[name]
            reading.problems[name] = judged.problem


def _read_record(form: RecordField, text: str, *, path: str = "") -> _Reading:
    lines = parse_lines(text)
    parts = split_parts(lines, form.labels, lists=form.lists)
    if not parts and not path:
        wrapped = _WRAPPED.search("\n".join(line.text for line in lines))
        if wrapped is not None:
            lines = parse_lines(wrapped[2])
            parts = split_parts(lines, form.labels, lists=form.lists)
        if not parts:
            parts = _take_whole(form, lines)
    by_field: dict[str, list[Part]] = {}
    for part in parts:
        by_field.setdefault(part.field, []).append(part)
    reading = _Reading(path=path)
    for name, member in form.members.items():
        _read_field(reading, name, member, by_field.get(name, ()))
    return reading


def _take_whole(form: RecordField, lines: tuple[Line, ...]) -> tuple[Part, ...]:
    """An answer that names no part is the text of a model whose only field is one."""
    if len(form.members) > 1:
        return ()
    return tuple(
        Part(field=name, level=NO_LEVEL, lines=[Line(text=""), *lines])
        for name, member in form.members.items()
        if isinstance(member.holds, TextField)
    )


def _read_field(reading: _Reading, name: str, member: NamedField, parts: Sequence[Part]) -> None:
    """The first part that gives a value; another one that says something else is told."""
    values: list[JsonValue] = []
    problem = f"there is no part `{member.names[0]}`"
    for part in parts:
        value = _read_part(part, member, reading, name)
        if isinstance(value, Unread):
            problem = value.problem
        else:
            values.append(value)
    if not values:
        reading.problems[name] = f"`{reading.path}{name}`: {problem}"
        return
    reading.values[name] = values[0]
    if any(value != values[0] for value in values):
        problem = f"the answer says it {len(values)} times; the first one counts"
        reading.problems[name] = f"`{reading.path}{name}`: {problem}"


def _read_part(part: Part, member: NamedField, reading: _Reading, name: str) -> JsonValue | Unread:
    if not isinstance(member.holds, RecordField):
        return read_value(part.lines, member.holds)
    inner = _read_record(member.holds, render_lines(part.lines), path=f"{reading.path}{name}.")
    members = member.holds.members.items()
    missing = [key for key, each in members if each.is_required and key not in inner.values]
    if missing:
        return Unread(problem=", ".join(inner.problems[key] for key in missing))
    reading.problems |= {f"{name}.{key}": why for key, why in inner.problems.items()}
    return inner.values


def _render_problems(reading: _Reading, missing: Sequence[str]) -> str:
    told = [reading.problems[name] for name in missing]
    more = [f"and {len(told) - MAX_PROBLEMS_SHOWN} more"] if len(told) > MAX_PROBLEMS_SHOWN else []
    return "; ".join([*told[:MAX_PROBLEMS_SHOWN], *more])
