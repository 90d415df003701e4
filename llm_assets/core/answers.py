"""Whether a model's text is an answer: JSON, and valid under the task's schema."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel, JsonValue, ValidationError

from llm_assets.core.characters import replace_unstorable
from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_search import find_json
from llm_assets.core.short_text import shorten

MAX_PROBLEMS_SHOWN = 5
MAX_PROBLEM_CHARS = 300
"""A model can invent a field name of any length, and the next attempt quotes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidAnswer:
    """An answer that the schema accepts."""

    output: dict[str, JsonValue]
    is_repaired: bool
    parse_errors: tuple[str, ...] = ()
    """What a text answer lacks or says unclearly, in fields that have a default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidAnswer:
    """An answer that it does not, with what the model is told about it."""

    problem: str
    fields: tuple[str, ...] = ()
    """The fields at fault, as far as single ones are."""


def parse_answer(text: str, output_model: type[BaseModel]) -> ValidAnswer | InvalidAnswer:
    """Read a complete answer; broken JSON is repaired as a last resort and then marked.

    Never call it on a cut-off answer: a repaired fragment can look valid.
    """
    text = replace_unstorable(text)
    judged = _validate(text, output_model, is_repaired=False)
    if judged is not None:
        return judged
    found = find_json(text)
    if found is not None:
        judged = _validate(found.text, output_model, is_repaired=found.is_repaired)
    return judged or InvalidAnswer(problem="The answer is not one complete JSON object.")


def validate_answer(text: str, output_model: type[BaseModel]) -> ValidAnswer | InvalidAnswer:
    """Hold JSON text that is complete to the schema."""
    judged = _validate(text, output_model, is_repaired=False)
    return judged or InvalidAnswer(problem="The answer is not one complete JSON object.")


def _validate(
    text: str, output_model: type[BaseModel], *, is_repaired: bool
) -> ValidAnswer | InvalidAnswer | None:
    """The verdict of the schema, or None where the text is not JSON."""
    try:
        output = _dump(output_model.model_validate_json(text, strict=True))
    except ValidationError as exc:
        if _is_about_json(exc):
            return None
        return InvalidAnswer(problem=_render_problems(exc), fields=_list_fields(exc))
    except Exception as exc:  # noqa: BLE001 a schema's validators are a person's code and may raise anything
        reason = f"{type(exc).__name__}: {exc}"[:MAX_PROBLEM_CHARS]
        return InvalidAnswer(problem=f"The schema's own check failed on the answer: {reason}")
    try:
        render_json(output)
    except ValueError:  # NaN and infinity, which no artifact can hold
        return InvalidAnswer(problem="The answer holds a number that is not finite.")
    return ValidAnswer(output=output, is_repaired=is_repaired)


def _dump(valid: BaseModel) -> dict[str, JsonValue]:
    plain = cast("JsonValue", valid.model_dump(mode="json", by_alias=True))
    native = cast("object", valid.model_dump(by_alias=True))
    return cast("dict[str, JsonValue]", _sort_sets(plain, native))


def _sort_sets(plain: JsonValue, native: object) -> JsonValue:
    """The plain data with the members of sets in order; a set's own order differs from process to process."""
    match plain, native:
        case list(), set() | frozenset():
            return sorted(plain, key=render_json)
        case list(), list() | tuple():
            members = cast("Sequence[object]", native)
            return [_sort_sets(*pair) for pair in _pair_up(plain, members)]
        case dict(), dict():
            values = list(cast("dict[object, object]", native).values())
            pairs = _pair_up(list(plain.values()), values)
            return dict(zip(plain, (_sort_sets(*pair) for pair in pairs), strict=True))
        case _:
            return plain


def _pair_up(
    plain: Sequence[JsonValue], native: Sequence[object]
) -> Iterator[tuple[JsonValue, object]]:
    """Each member with its native form, where a serializer of the schema did not change their number."""
    return zip(plain, native if len(native) == len(plain) else plain, strict=True)


def _is_about_json(exc: ValidationError) -> bool:
    return any(error["type"] == "json_invalid" for error in exc.errors(include_url=False))


def _list_fields(exc: ValidationError) -> tuple[str, ...]:
    """The outermost fields that are complained about; none where something is wrong with the whole."""
    places = [error["loc"] for error in exc.errors(include_url=False, include_context=False)]
    return tuple(dict.fromkeys(str(place[0]) for place in places)) if all(places) else ()


def _render_problems(exc: ValidationError) -> str:
    errors = exc.errors(include_url=False, include_context=False)
    lines = [
        f"`{'.'.join(str(part) for part in error['loc']) or 'answer'}`: {error['msg']}"
        for error in errors[:MAX_PROBLEMS_SHOWN]
    ]
    shown = [shorten(line, max_chars=MAX_PROBLEM_CHARS + 1) for line in lines]
    if len(errors) > MAX_PROBLEMS_SHOWN:
        shown.append(f"and {len(errors) - MAX_PROBLEMS_SHOWN} more")
    return "; ".join(shown)
