"""What the offline model knows about the text it answers from: its telling words, sentences, names, numbers."""

import re
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from llm_assets.gateways.offline_model.focus import Field, Focus
from llm_assets.gateways.offline_model.lexicon import (
    NEGATIVE,
    POSITIVE,
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

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=\S)|(?<=[。！？])|\s+/\s+|\n+")
_NAME = re.compile(r"\b[A-Z][\w'’-]+(?: (?:[A-Z][\w'’-]*|of|de|van|von)(?= [A-Z]|\b))*")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,-])-?\d{1,15}(?:\.\d{1,9})?")
_NOT_TEXT = re.compile(r"(?:^|[_ ])(?:id|ids|url|link|date|time|email|phone|number|no|nr)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Content:
    """The text of one item. Everything else about it is derived when it is first asked for."""

    focus: Focus

    @cached_property
    def text(self) -> str:
        """All of it, a passage a line."""
        return "\n".join(self.focus.passages)

    @cached_property
    def salt(self) -> int:
        """A number of this text's own, for choices that should differ between items."""
        return zlib.crc32(self.text.encode("utf-8", "surrogatepass"))

    @cached_property
    def fields(self) -> dict[str, str]:
        """Values by the stems of their names, as one text."""
        return {_spell_stems(name): value for name, value in self.focus.fields}

    def get_field(self, name: str) -> str | None:
        """The value of the prompt's own field of that name."""
        return self.fields.get(_spell_stems(name)) if self.fields else None

    @cached_property
    def _word_counts(self) -> Counter[str]:
        fields = self.focus.fields
        passages = [value for name, value in fields if not _NOT_TEXT.search(name)]
        return _count_telling_words("\n".join(passages) if fields else self.text)

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """The telling words, the most telling first, those of the background after this item's own."""
        own = _rank_words(self._word_counts)
        if len(own) >= MIN_PROSE_WORDS:
            return own
        background = _rank_words(_count_telling_words(self.focus.background))
        start = self.salt % len(background) if background else 0
        return tuple(dict.fromkeys((*own, *background[start:], *background[:start])))

    @cached_property
    def stems(self) -> frozenset[str]:
        """What the text is compared by."""
        return build_stems(self.text)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences of the prose in their order; of all the text where there is no prose."""
        prose = [each for each in self.focus.passages if each.count(" ") >= MIN_PROSE_WORDS - 1]
        pieces = [
            piece.strip()
            for passage in (prose or self.focus.passages)
            for piece in _SENTENCE_END.split(passage)
        ]
        return tuple(dict.fromkeys(piece for piece in pieces if piece))

    @cached_property
    def telling_sentences(self) -> tuple[str, ...]:
        """Sentences, those with the most frequent words for their length first."""
        counts = self._word_counts
        scores = {each: _score_sentence(each, counts) for each in self.sentences}
        return tuple(sorted(self.sentences, key=lambda each: -scores[each]))

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
        """From -1, all telling words complain, over 0 to 1, all praise."""
        praise, complaint = len(self.stems & POSITIVE), len(self.stems & NEGATIVE)
        return (praise - complaint) / (praise + complaint) if praise + complaint else 0.0

    @cached_property
    def is_urgent(self) -> bool:
        """Whether a word says that it cannot wait."""
        return bool(self.stems & URGENT)


def read_numbers(text: str) -> list[float]:
    """The numbers of a text in their order; digits inside of words and versions are none."""
    return [float(match.replace(",", "")) for match in _NUMBER.findall(text)]


def _spell_stems(name: str) -> str:
    return " ".join(build_stem(word) for word in read_words(name.replace("_", " ")))


def _count_telling_words(text: str) -> Counter[str]:
    words = (word for word in read_words(text) if len(word) > 2 and word not in STOP_WORDS)
    return Counter(words)


def _rank_words(counts: Counter[str]) -> tuple[str, ...]:
    ranked = sorted(counts, key=lambda word: (-counts[word], -min(len(word), MAX_WEIGHED_LETTERS)))
    return tuple(ranked)


def _score_sentence(sentence: str, counts: Counter[str]) -> float:
    words = read_words(sentence)
    return sum(counts[word] for word in set(words)) / (6 + len(words))
