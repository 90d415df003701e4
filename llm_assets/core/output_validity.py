"""Whether an output that is on record is still valid under a schema module."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, JsonValue

from llm_assets.core.answers import ValidAnswer, parse_answer
from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_schema import build_json_schema

_WITHOUT_EFFECT = frozenset({"default", "description", "required", "title"})
"""What may differ between the two forms of a schema although the one reads what the other writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """What validating an output once more came to."""

    state: Literal["valid", "invalid", "unknown"]
    problem: str
    """What is wrong with an invalid output."""


VALID = Validity(state="valid", problem="")
UNKNOWN = Validity(state="unknown", problem="")


def validate_outputs(
    outputs: Sequence[dict[str, JsonValue]], output_model: type[BaseModel]
) -> list[Validity]:
    """Validate each output as if the model had answered with it.

    An output holds what the schema made of an answer. Where the schema writes in a form that it does not read
    itself (a computed field, two aliases, a serializer of its own), a refusal proves nothing: it is `unknown`.
    """
    parsed = [parse_answer(render_json(output), output_model) for output in outputs]
    if all(isinstance(answer, ValidAnswer) for answer in parsed):
        return [VALID] * len(parsed)
    is_certain = reads_what_it_writes(output_model)
    return [
        VALID
        if isinstance(answer, ValidAnswer)
        else Validity(state="invalid", problem=answer.problem)
        if is_certain
        else UNKNOWN
        for answer in parsed
    ]


def reads_what_it_writes(model: type[BaseModel]) -> bool:
    """Whether the form in which the model gives out its values is one that it accepts."""
    written = build_json_schema(model, mode="serialization")
    return _covers(build_json_schema(model, mode="validation"), written)


def _covers(read: JsonValue, written: JsonValue) -> bool:
    """Each branch of what is written is one of what is read: a decimal is read as number or text, and written as text."""
    read_branches, written_branches = _list_branches(read), _list_branches(written)
    if len(read_branches) > 1 or len(written_branches) > 1:
        return all(any(_covers(r, w) for r in read_branches) for w in written_branches)
    if isinstance(read, dict) and isinstance(written, dict):
        keys = (read.keys() | written.keys()) - _WITHOUT_EFFECT
        return all(
            key in read and key in written and _covers(read[key], written[key]) for key in keys
        )
    return read == written


def _list_branches(schema: JsonValue) -> list[JsonValue]:
    branches = schema.get("anyOf") if isinstance(schema, dict) else None
    return branches if isinstance(branches, list) else [schema]
