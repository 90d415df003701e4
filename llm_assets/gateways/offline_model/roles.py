"""What a field is for, read from its name and its description."""

import re
from functools import lru_cache
from typing import Literal

from llm_assets.gateways.offline_model.lexicon import read_words
from llm_assets.gateways.offline_model.shapes import About

Role = Literal[
    "summary",
    "reason",
    "quote",
    "praise",
    "criticism",
    "question",
    "keyword",
    "name",
    "title",
    "criterion",
    "action",
    "reply",
    "mood",
    "urgency",
    "certainty",
    "rating",
    "count",
    "result",
    "verdict",
    "language",
    "any",
]

_NAMES: dict[Role, str] = {
    "summary": "summary abstract overview gist recap tldr synopsis takeaway highlight summarise summarize",
    "reason": "reason rationale explanation justification reasoning why feedback comment because explain",
    "quote": "quote evidence excerpt citation snippet line passage sentence",
    "praise": "strength pro praise positive advantage liked highlight",
    "criticism": "weakness con criticism complaint negative improvement disadvantage issue problem concern",
    "question": "question",
    "keyword": "keyword topic tag theme label skill subject aspect entity term area category focus",
    "name": "name person author company candidate customer product organisation organization city country",
    "title": "title headline heading caption",
    "criterion": "criterion criteria sign signal shows rubric expectation",
    "action": "action recommendation step suggestion advice todo task",
    "reply": "reply response email message draft",
    "mood": "sentiment mood tone emotion polarity",
    "urgency": "urgency priority severity urgent importance",
    "certainty": "confidence certainty probability likelihood confident sure",
    "rating": "rating score star satisfaction grade quality",
    "count": "count amount quantity total",
    "result": "answer result solution",
    "verdict": "acceptable verdict passed pass approved approve accepted accept valid correct ok good fits",
    "language": "language",
}
_ROLE_BY_WORD: dict[str, Role] = {
    word: role for role, words in _NAMES.items() for word in words.split()
}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LIMIT = re.compile(
    r"\b(?:at most|up to|no more than|maximum of|max\.?|under|within|than)\s+(\d{1,4})\s+(word|character|sentence)"
)


@lru_cache(maxsize=1024)
def decide_role(about: About) -> Role:
    """The last telling word of the name decides; without one, the first telling word of the description."""
    name_words = read_words(_CAMEL.sub(" ", about.name).replace("_", " "))
    for word in (*reversed(name_words), *read_words(about.description)):
        for form in (word, word.removesuffix("s"), word.removesuffix("es"), _drop_ies(word)):
            if form in _ROLE_BY_WORD:
                return _ROLE_BY_WORD[form]
    return "any"


@lru_cache(maxsize=1024)
def read_length_limit(description: str) -> tuple[int, str] | None:
    """The number and unit of a wish such as `at most 25 words`."""
    match = _LIMIT.search(description.lower())
    return (int(match[1]), match[2]) if match else None


def _drop_ies(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word
