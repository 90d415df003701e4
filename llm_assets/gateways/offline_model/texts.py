"""Which text goes into a field."""

from collections.abc import Callable, Sequence

from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.lexicon import NEGATIVE, POSITIVE, build_stems
from llm_assets.gateways.offline_model.patterns import build_matching_text, is_match
from llm_assets.gateways.offline_model.roles import Role, decide_role, read_length_limit
from llm_assets.gateways.offline_model.shapes import About, Text

MAX_SUMMARY_CHARS = 400
MAX_TITLE_WORDS = 8
NOTHING_TO_SAY = "nothing to say"
"""Stands where the prompt has no words to answer from."""

_QUESTIONS = (
    "How did you use {} in your last project, and what would you do differently today?",
    "What goes wrong most often with {}, and how do you notice it?",
    "How would you explain {} to someone who has never heard of it?",
    "Which decision about {} was the hardest one, and how did you take it?",
    "How do you find out whether {} does what it should?",
    "What would you try first if {} suddenly became a problem?",
    "Where does {} reach its limits, and what do you do then?",
    "What have you learned about {} that no book told you?",
)
_ACTIONS = (
    "Look into {0} and {1}.",
    "Follow up on {0}, then tell the people concerned about {1}.",
    "Clarify {0} first; {1} depends on it.",
)
_FORMATS: dict[str, Callable[[int], str]] = {
    "date": lambda nth: f"2026-01-{nth % 28 + 1:02}",
    "date-time": lambda nth: f"2026-01-{nth % 28 + 1:02}T12:00:00Z",
    "time": lambda nth: f"12:00:{nth % 60:02}Z",
    "duration": lambda nth: f"PT{nth + 1}H",
    "email": lambda nth: f"someone{nth + 1}@example.com",
    "uri": lambda nth: f"https://example.com/{nth + 1}",
    "uuid": lambda nth: f"00000000-0000-4000-8000-{nth + 1:012}",
    "ipv4": lambda nth: f"192.0.2.{nth % 250 + 1}",
    "ipv6": lambda nth: f"2001:db8::{nth % 9000 + 1}",
    "hostname": lambda nth: f"host{nth + 1}.example.com",
    "json-string": str,
}


def build_text(about: About, shape: Text, content: Content, nth: int) -> str:
    """A text for a field; another `nth` gives another text, as far as the schema leaves room for one."""
    spell = _FORMATS.get(shape.format or "")
    if spell is not None:
        return spell(nth)
    text = fit_text(choose_text(about, content, nth), shape, nth)
    if shape.pattern is None or is_match(shape.pattern, text):
        return text
    return _match_pattern(shape.pattern, shape, content, nth) or text


def choose_text(about: About, content: Content, nth: int) -> str:
    """What the field is for decides; a field that the prompt has too is copied from there."""
    given = content.get_field(about.name) if nth == 0 else None
    role = decide_role(about)
    if given is not None and role not in _OF_ITS_OWN:
        return given
    text = _choose_by_role(role, content, nth)
    limit = read_length_limit(about.description)
    return _shorten(text, *limit) if limit else text


def fit_text(text: str, shape: Text, nth: int) -> str:
    """The text cut or lengthened to the allowed number of characters."""
    text = text.strip() or NOTHING_TO_SAY
    if shape.max_length is not None and len(text) > shape.max_length:
        text = _cut(text, shape.max_length) if nth == 0 else _number(text, shape.max_length, nth)
    if len(text) < shape.min_length:
        text = f"{text}." + f" {text}." * (shape.min_length // (len(text) + 2))
        text = text.ljust(shape.min_length, ".")
        text = text if shape.max_length is None else text[: shape.max_length]
    return text


_OF_ITS_OWN: frozenset[Role] = frozenset({"summary", "reason", "question", "action", "reply"})
"""What is made anew although the prompt may have a field of that name."""


def _choose_by_role(role: Role, content: Content, nth: int) -> str:  # noqa: PLR0911 -- a case for each role
    match role:
        case "summary":
            return _summarise(content) if nth == 0 else _get(content.telling_sentences, nth)
        case "quote" | "result":
            return _get(content.telling_sentences, nth)
        case "praise" | "criticism":
            return _get(_find_moody_sentences(content, POSITIVE if role == "praise" else NEGATIVE), nth)
        case "reason":
            return f"The text speaks of {_join(content.keywords[nth : nth + 3])}."
        case "question":
            form = _QUESTIONS[(content.salt + nth) % len(_QUESTIONS)]
            return form.format(_get(content.keywords, nth))
        case "action":
            form = _ACTIONS[(content.salt + nth) % len(_ACTIONS)]
            return form.format(_get(content.keywords, 2 * nth), _get(content.keywords, 2 * nth + 1))
        case "reply":
            return f"Thank you for writing about {_join(content.keywords[nth : nth + 2])}. We are looking into it."
        case "name":
            return _get(content.names or content.keywords, nth)
        case "title":
            return " ".join(_get(content.telling_sentences, nth).split()[:MAX_TITLE_WORDS]).rstrip(".,;:")
        case "mood":
            return "positive" if content.mood > 0 else "negative" if content.mood < 0 else "neutral"
        case "urgency":
            return "high" if content.is_urgent else "medium"
        case "language":
            return "English"
        case _:
            return _get(content.keywords, nth)


def _summarise(content: Content) -> str:
    """The most telling sentence, and the next one where there are many, in the order of the text."""
    best = content.telling_sentences[: 1 if len(content.sentences) <= 3 else 2]
    text = " ".join(sentence for sentence in content.sentences if sentence in best)
    return text if len(text) <= MAX_SUMMARY_CHARS or not best else _cut(best[0], MAX_SUMMARY_CHARS)


def _find_moody_sentences(content: Content, mood: frozenset[str]) -> list[str]:
    counts = {each: len(build_stems(each) & mood) for each in content.sentences}
    moody = [each for each in content.sentences if counts[each]]
    return sorted(moody, key=lambda each: -counts[each]) or list(content.telling_sentences)


def _get(options: Sequence[str], nth: int) -> str:
    """The nth option; after the last one they start again, numbered."""
    if not options:
        return NOTHING_TO_SAY if nth == 0 else f"{NOTHING_TO_SAY} {nth + 1}"
    n_round, place = divmod(nth, len(options))
    return f"{options[place]} {n_round + 1}" if n_round else options[place]


def _join(words: Sequence[str]) -> str:
    if len(words) < 2:
        return words[0] if words else "nothing in particular"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _shorten(text: str, limit: int, unit: str) -> str:
    if unit == "character":
        return _cut(text, limit)
    words = text.split()
    return text if unit == "sentence" or len(words) <= limit else " ".join(words[:limit]) + "…"


def _cut(text: str, max_length: int) -> str:
    """The beginning, up to the end of a word where one is near."""
    if len(text) <= max_length:
        return text
    start = text[: max(max_length - 1, 0)]
    at_word = start[: start.rfind(" ")] if " " in start[len(start) // 2 :] else start
    return f"{at_word.rstrip()}…" if max_length > 1 else text[:max_length]


def _number(text: str, max_length: int, nth: int) -> str:
    """A cut text that differs from the others that were cut like it."""
    mark = str(nth) if len(str(nth)) <= max_length else chr(ord("a") + nth % 26)
    return f"{text[: max_length - len(mark)].rstrip()}{mark}"[:max_length]


def _match_pattern(pattern: str, shape: Text, content: Content, nth: int) -> str | None:
    """The first piece of the content that the pattern matches, else a text made for it."""
    longest = shape.max_length or MAX_SUMMARY_CHARS
    pieces = (*(value for _, value in content.focus.fields), *content.text.split())
    fitting = [
        piece
        for piece in dict.fromkeys(pieces)
        if shape.min_length <= len(piece) <= longest and is_match(pattern, piece)
    ]
    if nth < len(fitting):
        return fitting[nth]
    return build_matching_text(pattern, shape.min_length, nth - len(fitting))
