"""What the hooks of a task make of one item; trouble in a hook is the item's trouble."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, JsonValue

from llm_assets.config.hooks import HookKind
from llm_assets.core.answers import InvalidAnswer, ValidAnswer, validate_answer
from llm_assets.core.characters import replace_unstorable
from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import Sha256
from llm_assets.core.items import Item
from llm_assets.hooks import (
    Check,
    HookItem,
    Output,
    Rejection,
    Request,
    RequestBuilder,
    ResultHandler,
    Scorer,
    Skip,
)

SKIPPED = "Left out by the request hook."
MAX_REASON_CHARS = 500

CallT_co = TypeVar("CallT_co", bound=Callable[..., object], covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook(Generic[CallT_co]):
    """One function of the project."""

    kind: HookKind
    name: str
    """File and function, as messages say them."""
    source_sha256: Sha256
    """Of the file."""
    call: CallT_co


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The functions that a task names."""

    names: frozenset[str] = frozenset()
    """What the request hook gives the prompt."""
    request: Hook[RequestBuilder] | None = None
    result: Hook[ResultHandler] | None = None
    check: Hook[Check] | None = None
    scorer: Hook[Scorer] | None = None

    @property
    def all(self) -> tuple[Hook[Callable[..., object]], ...]:
        """Those that there are, in the order in which they are called."""
        found = (self.request, self.result, self.check, self.scorer)
        return tuple(hook for hook in found if hook is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFailure:
    """A hook that raised, or returned what it must not."""

    reason: str


def prepare_item(hooks: Hooks, item: Item) -> Item | Skip | HookFailure:
    """The item with what the request hook gives it."""
    hook = hooks.request
    if hook is None:
        return item
    given = _call(hook, _show(item))
    match given:
        case HookFailure():
            return given
        case None:
            return Skip(SKIPPED)
        case Skip(reason=reason):
            return Skip(_clean(str(reason)) or SKIPPED)
        case Request():
            return _add_request(hook, hooks.names, item, given)
        case _:
            return _fail(hook, f"returned {_name_type(given)} and no Request, Skip or None")


def finish_output(
    hooks: Hooks, item: Item, valid: ValidAnswer, output_model: type[BaseModel]
) -> ValidAnswer | Rejection | HookFailure:
    """The output as the result hook leaves it, if the check accepts it."""
    handled = _handle(hooks.result, item, valid, output_model) if hooks.result else valid
    if isinstance(handled, HookFailure) or hooks.check is None:
        return handled
    said = _call(hooks.check, _show(item), _copy(handled.output))
    match said:
        case None:
            return handled
        case Rejection(reason=reason):
            return Rejection(_clean(str(reason)) or "no reason given")
        case HookFailure():
            return said
        case _:
            return _fail(hooks.check, f"returned {_name_type(said)} and no Rejection or None")


def score_output(hooks: Hooks, output: Mapping[str, JsonValue]) -> float | HookFailure | None:
    """The scorer's number for an output of which nothing is known to be expected."""
    return None if hooks.scorer is None else _score(hooks.scorer, output, None)


def score_by_expected(
    hook: Hook[Scorer], output: Mapping[str, JsonValue], expected: JsonValue
) -> float | HookFailure | None:
    """The score of an output by what was expected of it, from 0 to 1; None where the hook says that there is none."""
    score = _score(hook, output, expected)
    if isinstance(score, float) and not 0 <= score <= 1:
        return _fail(hook, f"returned {score:g} and no number from 0 to 1")
    return score


def _score(
    hook: Hook[Scorer], output: Mapping[str, JsonValue], expected: JsonValue
) -> float | HookFailure | None:
    score = _call(hook, _copy(output), expected)
    if score is None or isinstance(score, HookFailure):
        return score
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        return _fail(hook, f"returned {score!r:.60} and no finite number")
    return float(score)


def _add_request(
    hook: Hook[RequestBuilder], names: frozenset[str], item: Item, given: Request
) -> Item | HookFailure:
    try:
        plain_names, extra = _copy(given.names), _copy(given.extra)
    except (TypeError, ValueError, AttributeError, RecursionError) as exc:
        return _fail(hook, f"returned values that JSON cannot hold: {exc}")
    if plain_names.keys() != names:
        got, wanted = ", ".join(sorted(plain_names)), ", ".join(sorted(names))
        return _fail(
            hook, f"gave the names [{got}], and `hooks.names` in the config lists [{wanted}]"
        )
    return replace(item, names=plain_names, extra=extra or None)


def _handle(
    hook: Hook[ResultHandler], item: Item, valid: ValidAnswer, output_model: type[BaseModel]
) -> ValidAnswer | HookFailure:
    returned = _call(hook, _show(item), _copy(valid.output))
    if isinstance(returned, HookFailure):
        return returned
    if not isinstance(returned, Mapping):
        return _fail(hook, f"returned {_name_type(returned)} and no output")
    try:
        text = replace_unstorable(render_json(dict(cast("Output", returned))))
    except (TypeError, ValueError, RecursionError) as exc:
        return _fail(hook, f"returned values that JSON cannot hold: {exc}")
    judged = validate_answer(text, output_model)
    if isinstance(judged, InvalidAnswer):
        return _fail(hook, f"returned an output that the schema refuses: {judged.problem}")
    return replace(judged, is_repaired=valid.is_repaired, parse_errors=valid.parse_errors)


def _call(hook: Hook[Callable[..., object]], *arguments: object) -> object:
    try:
        return hook.call(*arguments)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 -- a person's code may raise anything, and only this item is concerned
        text = str(exc).strip()
        return _fail(hook, f"raised {type(exc).__name__}{f': {text}' if text else ''}")


def _fail(hook: Hook[Callable[..., object]], what: str) -> HookFailure:
    return HookFailure(reason=_clean(f"The {hook.kind} hook {hook.name} {what}"))


def _show(item: Item) -> HookItem:
    work = item.work
    return HookItem(
        work_id=work.work_id,
        row_ids=work.row_ids,
        values=MappingProxyType(dict(work.values)),
        group_key=work.group_key,
        group_context=item.group_context,
        extra=_copy(item.extra or {}),
        steps={name: _copy(output) for name, output in (item.steps or {}).items()},
    )


def _copy(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The values as the record will hold them, and nobody else's to change."""
    plain = json.loads(replace_unstorable(render_json(dict(values))))
    return cast("dict[str, JsonValue]", plain)


def _clean(text: str) -> str:
    return replace_unstorable(text)[:MAX_REASON_CHARS].strip()


def _name_type(value: object) -> str:
    return f"a value of type {type(value).__name__!r}"
