"""What the offline model knows about the text it answers from: its telling words, sentences, names, numbers."""

import re
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache

from llm_assets.gateways.offline_model.focus import Focus
from llm_assets.gateways.offline_model.lexicon import (
    CRITICISM_FIELDS,
    NEGATIVE,
    POSITIVE,
    PRAISE_FIELDS,
    QUESTION_MARK,
    STOP_WORDS,
    URGENT,
    build_stem,
    build_stems,
    read_words,
)

MIN_PROSE_WORDS = 4
"""Shorter values are labels, dates or numbers; nobody would quote them as a sentence."""
MAX_WEIGHED_LETTERS = 9
"""Among words that are equally frequent the longer ones tell more, up to this length."""
MAX_KEYWORDS = 24
MAX_PHRASE_WORDS = 3
MIDDLE_RATING = 0.6
"""Three of five stars, as a share; people who are content give more."""
MIN_PROSE_SHARE = 3
"""A passage with less than one part in three of the longest one is its title."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?:/\s+)?(?=\S)|(?<=[\u3002\uff01\uff1f])|\s+/\s+|\n+")
_GREETING = re.compile(
    r"\A(?:hi|hello|hey|dear|bonjour|hallo)\b[^,!.]{0,30}[,!.]\s+", re.IGNORECASE
)
_NAME = re.compile(r"\b[A-Z][\w'\u2019-]+(?: (?:[A-Z][\w'\u2019-]*|of|de|van|von)(?= [A-Z]|\b))*")
_NUMBER = re.compile(
    r"(?<![\w.])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,-])-?\d{1,15}(?:\.\d{1,9})?"
)
_NOT_TEXT = re.compile(
    r"(?:^|[_ ])(?:id|ids|url|link|date|time|email|phone|number|no|nr)$", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Content:
    """The text of one item. Everything else about it is derived when it is first asked for."""

    focus: Focus
    guidance: str = ""
    """What the system message says; it explains choices."""

    @cached_property
    def text(self) -> str:
        """All of it, a passage a line."""
        return "\n".join(self.focus.passages)

    @cached_property
    def salt(self) -> int:
        """A number of this text's own, for choices that should differ between items."""
        return zlib.crc32(self.text.encode())

    @cached_property
    def fields(self) -> dict[str, str]:
        """Values by the stems of their names, as one text."""
        return {_spell_stems(name): value for name, value in reversed(self.focus.fields)}

    def get_field(self, name: str) -> str | None:
        """The value of the prompt's own field of that name, the first one where several rows have it."""
        return self.fields.get(_spell_stems(name)) if self.fields else None

    def list_field_values(self, name: str) -> tuple[str, ...]:
        """The values of all of the prompt's own fields of that name, each once."""
        wanted = _spell_stems(name)
        values = (value for own, value in self.focus.fields if _spell_stems(own) == wanted)
        return tuple(dict.fromkeys(values))

    def list_field_numbers(self, name: str) -> list[float]:
        """The numbers in all fields whose name is a part of that name, as `rating` is of `average_rating`."""
        stems = set(_spell_stems(name).split())
        return [
            number
            for own_name, value in self.focus.fields
            if stems.issuperset(_spell_stems(own_name).split())
            for number in read_numbers(value)
        ]

    @cached_property
    def _word_counts(self) -> Counter[str]:
        fields = self.focus.fields
        passages = [value for name, value in fields if not _NOT_TEXT.search(name)]
        return _count_telling_words("\n".join(passages) if fields else self.text)

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """Phrases of lists and telling words, this item's own first, those it shares with its group last."""
        counts, shared = self._word_counts, _count_telling_words(self.focus.background)
        ranked = sorted(
            counts,
            # A row stands among its group too; a word that others have as well tells less about it.
            key=lambda word: (
                shared[word] > counts[word],
                -counts[word],
                -min(len(word), MAX_WEIGHED_LETTERS),
            ),
        )
        named = frozenset(word for phrase in self._phrases for word in read_words(phrase))
        words = [word for word in ranked[:MAX_KEYWORDS] if word not in named]
        restored = [_restore_capitals(word, self.text) for word in words]
        return tuple(dict.fromkeys((*self._phrases, *restored)))

    @cached_property
    def _phrases(self) -> list[str]:
        """Values that are labels of this row alone, and the members of values that list several."""
        found: list[str] = []
        for name, value in self.focus.fields:
            parts = [part.strip() for part in value.split(",")]
            is_label = len(parts) == 1 and 0 < value.count(" ") <= MAX_PHRASE_WORDS
            is_list = len(parts) > 1 and all(
                part and part.count(" ") < MAX_PHRASE_WORDS for part in parts
            )
            is_own = self._is_one_row and self.focus.background.count(value) <= 1
            if (is_list or (is_label and is_own)) and not _NOT_TEXT.search(name):
                found.extend(_lower_start(part) for part in parts if part[-1] not in ".!?")
        return found

    @cached_property
    def stems(self) -> frozenset[str]:
        """What the text is compared by."""
        marks = {QUESTION_MARK} if "?" in self.text else set[str]()
        if "as soon as possible" in self.text:
            marks.add("asap")
        return build_stems(self.text) | marks

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences of the prose in their order; where there is no prose, all of the text as one."""
        prose = self._prose
        if not prose:
            return (", ".join(self.focus.passages),)
        return tuple(dict.fromkeys(each for passage in prose for each in _split_sentences(passage)))

    @property
    def _is_one_row(self) -> bool:
        return len(self.fields) == len(self.focus.fields)

    @property
    def _prose(self) -> list[str]:
        prose = [each for each in self.focus.passages if each.count(" ") >= MIN_PROSE_WORDS - 1]
        longest = max(map(len, prose), default=0) if self._is_one_row else 0
        return [each for each in prose if MIN_PROSE_SHARE * len(each) >= longest]

    @cached_property
    def telling_sentences(self) -> tuple[str, ...]:
        """Sentences, those with the most frequent words for their length first."""
        counts = self._word_counts
        scores = {each: _score_sentence(each, counts) for each in self.sentences}
        return tuple(sorted(self.sentences, key=lambda each: -scores[each]))

    @cached_property
    def praise(self) -> tuple[str, ...]:
        """The most telling sentences of fields such as `went_well`, else those with words of praise."""
        return self._find_sentences(PRAISE_FIELDS, POSITIVE)

    @cached_property
    def criticism(self) -> tuple[str, ...]:
        """The most telling sentences of fields such as `to_improve`, else those with words of complaint."""
        return self._find_sentences(CRITICISM_FIELDS, NEGATIVE)

    def _find_sentences(self, fields: frozenset[str], mood: frozenset[str]) -> tuple[str, ...]:
        asked = frozenset(
            sentence
            for name, value in self.focus.fields
            if not fields.isdisjoint(_spell_stems(name).split())
            for sentence in _split_sentences(value)
        )
        if asked:
            return tuple(each for each in self.telling_sentences if each in asked)
        counts = {each: len(build_stems(each) & mood) for each in self.sentences}
        moody = sorted(filter(counts.get, self.sentences), key=lambda each: -counts[each])
        return tuple(moody) or self.telling_sentences

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Capitalised phrases in their order; first words of sentences only where they are no common words."""
        found = [match for match in _NAME.findall(self.text) if match.lower() not in STOP_WORDS]
        return tuple(dict.fromkeys(found))

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The numbers in their order, each once."""
        return tuple(dict.fromkeys(read_numbers(self.text)))

    @cached_property
    def mood(self) -> float:
        """From -1, all complaint, over 0 to 1, all praise: by the rows' own ratings, else by telling words."""
        ratings = self.list_field_numbers("rating score stars")
        if ratings:
            highest = 5 if max(ratings) <= 5 else 10 if max(ratings) <= 10 else 100
            share = sum(ratings) / len(ratings) / highest
            return max(-1.0, min(1.0, (share - MIDDLE_RATING) / (1 - MIDDLE_RATING)))
        praise, complaint = len(self.stems & POSITIVE), len(self.stems & NEGATIVE)
        return (praise - complaint) / (praise + complaint) if praise + complaint else 0.0

    @cached_property
    def has_mood(self) -> bool:
        """Whether anything in the text is praise or complaint."""
        return self.mood != 0 or not self.stems.isdisjoint(POSITIVE)

    @cached_property
    def is_urgent(self) -> bool:
        """Whether a word says that it cannot wait."""
        return bool(self.stems & URGENT)


def read_numbers(text: str) -> list[float]:
    """The numbers of a text in their order; digits inside of words and versions are none."""
    return [float(match.replace(",", "")) for match in _NUMBER.findall(text)]


def _split_sentences(passage: str) -> list[str]:
    pieces = (piece.strip() for piece in _SENTENCE_END.split(passage))
    return [_strip_greeting(piece) for piece in pieces if piece]


def _strip_greeting(sentence: str) -> str:
    rest = _GREETING.sub("", sentence, count=1)
    return sentence if rest == sentence else f"{rest[:1].upper()}{rest[1:]}"


def _spell_stems(name: str) -> str:
    return " ".join(build_stem(word) for word in read_words(name.replace("_", " ")))


@lru_cache(maxsize=32)
def _count_telling_words(text: str) -> Counter[str]:
    words = (word for word in read_words(text) if len(word) > 2 and word not in STOP_WORDS)
    return Counter(words)


def _lower_start(phrase: str) -> str:
    """`supplier negotiation` for `Supplier negotiation`; names and abbreviations stay."""
    return f"{phrase[:1].lower()}{phrase[1:]}" if phrase[1:].islower() else phrase


def _restore_capitals(word: str, text: str) -> str:
    """`SQL` for `sql`, where the text writes it so."""
    capitals = word.upper()
    return capitals if capitals in text else word


def _score_sentence(sentence: str, counts: Counter[str]) -> float:
    words = read_words(sentence)
    return sum(counts[word] for word in set(words)) / (6 + len(words))
