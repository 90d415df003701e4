"""How far an answer is what was expected, from 0 to 1."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal

from pydantic import JsonValue

from llm_assets.config.expected import ExpectedFieldSettings, ScorerName
from llm_assets.core.answer_numbers import (
    find_last_number,
    find_only_number,
    is_near,
)
from llm_assets.core.fingerprint import render_json
from llm_assets.core.json_match import (
    find_at,
    is_same_json,
    list_leaves,
    parse_dotted_path,
    parse_json_value,
)
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.values import Scalar

Scorer = Callable[[JsonValue, Scalar, ExpectedFieldSettings], float | None]
"""Called with what was answered, what was expected and how to compare; None where the expected cannot be read."""

RIGHT_OR_WRONG: frozenset[ScorerName] = frozenset(
    ("exact", "normalised", "contains", "numeric", "judge")
)
"""Scorers that know 1 and 0 alone, so that a score is a share."""

_PLAIN_NUMBER = re.compile(r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*", re.ASCII)
_KEPT_IN_NUMBERS = re.compile(r"(?<!\w)[-\u2212](?=\d)|(?<=\d)[.,](?=\d)")


def score_value(found: JsonValue, wanted: Scalar, settings: ExpectedFieldSettings) -> float | None:
    """The score of one value by any scorer but `judge` and `hook`.

    None where what is expected cannot be read, which is no fault of the answer.
    """
    return SCORERS[settings.scorer](found, wanted, settings)


def find_value(output: Mapping[str, JsonValue], path: str) -> JsonValue:
    """The value at a dotted path, or under a key that has dots in it; None where nothing is there."""
    return output[path] if path in output else find_at(dict(output), parse_dotted_path(path))


def normalise_text(text: str) -> str:
    """The text without what people write differently: Unicode forms, case, punctuation, white space.

    The sign and the point of a number stay. A text of nothing but punctuation stays as it is.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = {match.start() for match in _KEPT_IN_NUMBERS.finditer(folded)}
    words = "".join(
        " " if unicodedata.category(char).startswith("P") and at not in kept else char
        for at, char in enumerate(folded)
    )
    return " ".join(words.split()) or " ".join(folded.split())


def _score_exact(found: JsonValue, wanted: Scalar, settings: ExpectedFieldSettings) -> float | None:
    if settings.pattern is None:
        return float(_is_same(found, wanted))
    text = _find_part(render_cell(wanted), settings.pattern)
    if text is None:
        return None
    return float(_is_same(_choose_part(found, settings.pattern), text))


def _score_normalised(
    found: JsonValue, wanted: Scalar, settings: ExpectedFieldSettings
) -> float | None:
    exact = _score_exact(found, wanted, settings)
    if exact is None or exact or not isinstance(found, str):
        return exact
    text = _find_part(render_cell(wanted), settings.pattern) or ""
    part = render_cell(_choose_part(found, settings.pattern))
    return float(normalise_text(part) == normalise_text(text))


def _score_contains(
    found: JsonValue, wanted: Scalar, settings: ExpectedFieldSettings
) -> float | None:
    """Whole words: `cat` is not contained in `catalogue`."""
    text = _find_part(render_cell(wanted), settings.pattern)
    if text is None:
        return None
    part = render_cell(_choose_part(found, settings.pattern))
    return float(f" {normalise_text(text)} " in f" {normalise_text(part)} ")


def _score_numeric(
    found: JsonValue, wanted: Scalar, settings: ExpectedFieldSettings
) -> float | None:
    text = _find_part(render_cell(wanted), settings.pattern)
    number = None if text is None else find_only_number(text)
    if number is None:
        return None
    answered = _read_answered_number(found, settings.pattern)
    return float(
        answered is not None
        and is_near(
            answered,
            number,
            tolerance=settings.tolerance,
            relative_tolerance=settings.relative_tolerance,
        )
    )


def _score_jaccard(
    found: JsonValue, wanted: Scalar, settings: ExpectedFieldSettings
) -> float | None:
    """What is in both lists, as a share of what is in either."""
    theirs, ours = _read_set(wanted, settings), _read_set(found, settings)
    return len(ours & theirs) / len(ours | theirs) if theirs else None


def _score_f1(found: JsonValue, wanted: Scalar, settings: ExpectedFieldSettings) -> float | None:
    """Twice what is in both lists, as a share of both lengths: precision and recall in one."""
    theirs, ours = _read_set(wanted, settings), _read_set(found, settings)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if theirs else None


def _score_json(found: JsonValue, wanted: Scalar, _: ExpectedFieldSettings) -> float | None:
    """Of the values in the expected JSON, the share that stands in the same place; further ones do no harm."""
    try:
        leaves = list(list_leaves(parse_json_value(render_cell(wanted))))
    except ValueError:
        return None
    return sum(is_same_json(find_at(found, place), value) for place, value in leaves) / len(leaves)


SCORERS: Mapping[ScorerName, Scorer] = {
    "exact": _score_exact,
    "normalised": _score_normalised,
    "contains": _score_contains,
    "numeric": _score_numeric,
    "jaccard": _score_jaccard,
    "f1": _score_f1,
    "json": _score_json,
}
"""All but `judge`, which looks at a verdict and not at a value."""


def _is_same(found: JsonValue, wanted: Scalar) -> bool:
    """Whether an answer is what a cell says, which is mostly text: `3.0` stands for 3 and `True` for true."""
    text = render_cell(wanted)
    if isinstance(found, str):
        return found == text
    if isinstance(found, bool):
        return text.casefold() == render_json(found)
    if found is None:
        return False
    if isinstance(found, int | float):
        number = find_only_number(text) if _PLAIN_NUMBER.fullmatch(text) else None
        return number is not None and number == Decimal(str(found))
    try:
        return is_same_json(found, parse_json_value(text))
    except ValueError:
        return False


def _find_part(text: str, pattern: str | None) -> str | None:
    """The part of a text that counts; None where the pattern matches nowhere."""
    if pattern is None:
        return text
    last = None
    for last in re.finditer(pattern, text):  # noqa: B007 -- the last match is wanted
        pass
    if last is None:
        return None
    return last[1] if last.re.groups else last[0]


def _choose_part(found: JsonValue, pattern: str | None) -> JsonValue:
    """The part of an answer that counts; the whole where the pattern does not match, or it is no text."""
    if not isinstance(found, str):
        return found
    part = _find_part(found, pattern)
    return found if part is None else part


def _read_answered_number(found: JsonValue, pattern: str | None) -> Decimal | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return Decimal(str(found))
    part = _choose_part(found, pattern)
    return find_last_number(part) if isinstance(part, str) else None


def _read_set(value: JsonValue, settings: ExpectedFieldSettings) -> frozenset[str]:
    """The entries of a list, normalised; of a text the entries that it holds as JSON or between separators."""
    if isinstance(value, list):
        texts = [render_cell(entry) for entry in value]
        return frozenset(filter(None, map(normalise_text, texts)))
    text = render_cell(value)
    if text.lstrip().startswith("["):
        try:
            parsed = parse_json_value(text)
        except ValueError:
            parsed = None
        if isinstance(parsed, list):
            return _read_set(parsed, settings)
    return frozenset(filter(None, map(normalise_text, text.split(settings.separator))))
