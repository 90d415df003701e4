"""Which of given options a text speaks for, and how clearly."""

import re
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.lexicon import (
    BAD,
    GOOD,
    KINDRED,
    MIXED,
    UNDECIDED,
    build_stem,
    build_stems,
    read_words,
)
from llm_assets.gateways.offline_model.shapes import About

OWN_WORD_WEIGHT = 3
"""An option that the text names itself weighs more than words that are merely about it."""
MOOD_WEIGHT = 6
MIXED_SHARE = 0.5
"""Feelings are mixed where the mood is nearer to the middle than half of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The options, the likeliest first."""

    options: tuple[JsonValue, ...]
    margin: float
    """From 0, a guess, towards 1, nothing speaks for another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cues:
    """The stems that speak for an option."""

    own: frozenset[str]
    kindred: frozenset[str]
    is_fallback: bool


def rank_options(options: tuple[JsonValue, ...], about: About, content: Content) -> Ranking:
    """Rank by the words that an option, its description and words of its kind share with the text.

    Where nothing speaks for any, options such as `other`, `neutral` or `medium` come first, then the given order.
    """
    given = content.get_field(about.name)
    explained = f"{about.description}\n{content.guidance}"
    scores: list[float] = []
    for option, cues in zip(options, _build_cues(_spell(options), explained), strict=True):
        score = float(
            OWN_WORD_WEIGHT * len(cues.own & content.stems) + len(cues.kindred & content.stems)
        )
        if given is not None and str(option).lower() == given.lower():
            score += 2 * OWN_WORD_WEIGHT
        scores.append(score + _weigh_mood(cues.own, content) + (0.5 if cues.is_fallback else 0.0))
    order = sorted(range(len(options)), key=lambda place: -scores[place])
    best, second = scores[order[0]], scores[order[1]] if len(order) > 1 else 0.0
    return Ranking(
        options=tuple(options[place] for place in order), margin=(best - second) / (best + 1)
    )


def _weigh_mood(own: frozenset[str], content: Content) -> float:
    """What the mood of the text adds to an option that is about praise, complaint or both."""
    if not own.isdisjoint(GOOD):
        return max(0.0, MOOD_WEIGHT * content.mood)
    if not own.isdisjoint(BAD):
        return max(0.0, -MOOD_WEIGHT * content.mood)
    if not own.isdisjoint(MIXED) and content.has_mood:
        return max(0.0, MOOD_WEIGHT * (MIXED_SHARE - abs(content.mood)))
    return 0.0


def _spell(options: tuple[JsonValue, ...]) -> tuple[str, ...]:
    return tuple(str(option) for option in options)


@lru_cache(maxsize=256)
def _build_cues(options: tuple[str, ...], explained: str) -> tuple[_Cues, ...]:
    return tuple(_build_option_cues(option, explained) for option in options)


def _build_option_cues(option: str, explained: str) -> _Cues:
    words = read_words(option.replace("_", " "))
    own = frozenset(build_stem(word) for word in words)
    kindred = build_stems(_find_explanation(option, explained))
    for stem in own:
        kindred |= KINDRED.get(stem, frozenset())
    return _Cues(own=own, kindred=kindred - own, is_fallback=not UNDECIDED.isdisjoint(words))


def _find_explanation(option: str, text: str) -> str:
    """What a text says about one option: a line `- bug: errors`, else `bug: errors; praise: thanks` within one."""
    name = rf"['\"`*]*\b{re.escape(option)}\b['\"`*]*\s*"
    own_line = re.search(rf"^[ \t]*[-*\u2022][ \t]*{name}[:=]([^\n]*)", text, re.MULTILINE)
    if own_line:
        return own_line[1]
    mark = re.search(rf"{name}(?:\(([^)]*)|(?::|=|-|\u2013|means|if|when)\s+([^;.\n]*))", text)
    return (mark[1] or mark[2] or "") if mark else ""
