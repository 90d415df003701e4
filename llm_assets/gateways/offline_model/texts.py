"""Which text goes into a field."""

from collections.abc import Callable, Sequence

from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.patterns import build_matching_text, is_match
from llm_assets.gateways.offline_model.roles import Role, decide_role, read_length_limit
from llm_assets.gateways.offline_model.shapes import About, Text

MAX_SUMMARY_CHARS = 400
MAX_TITLE_WORDS = 8
NUMBERED_FROM = 8
"""Long lists of different texts run out of words; from here on a number makes them differ."""
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
_CRITERIA = (
    "Tells of {0} from experience, says how it ended, and sees what it has to do with {1}.",
    "Asks back about {0} before answering; weak: stays general about {1}.",
    "Weighs {0} against {1} and says what would change the decision.",
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
    chosen = choose_text(about, content, nth)
    if nth >= NUMBERED_FROM:
        chosen = f"{chosen} {nth + 1}"
    text = fit_text(chosen, shape, nth)
    if shape.pattern is None or is_match(shape.pattern, text):
        return text
    return _match_pattern(shape.pattern, shape, content, nth) or text


def choose_text(about: About, content: Content, nth: int) -> str:
    """What the field is for decides; a field that the prompt has too is copied from there."""
    given = content.get_field(about.name) if nth == 0 else None
    role = decide_role(about)
    if given is not None and role not in _OF_ITS_OWN:
        return given
    text = _WRITERS.get(role, _write_keyword)(content, nth)
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


_OF_ITS_OWN: frozenset[Role] = frozenset(
    {"summary", "reason", "question", "criterion", "action", "reply"}
)
"""What is made anew although the prompt may have a field of that name."""


def _write_summary(content: Content, nth: int) -> str:
    """The most telling sentence, of longer texts up to three, in the order of the text."""
    if nth:
        return _get(content.telling_sentences, nth)
    n_sentences = min(3, 1 + len(content.sentences) // 4)
    best = content.telling_sentences[:n_sentences]
    text = " ".join(_end(sentence) for sentence in content.sentences if sentence in best)
    return text if len(text) <= MAX_SUMMARY_CHARS or not best else _cut(best[0], MAX_SUMMARY_CHARS)


def _end(sentence: str) -> str:
    return sentence if sentence[-1:] in ".!?\u2026" else f"{sentence}."


def _write_quote(content: Content, nth: int) -> str:
    return _get(content.telling_sentences, nth)


def _write_praise(content: Content, nth: int) -> str:
    return _get(content.praise, nth)


def _write_criticism(content: Content, nth: int) -> str:
    return _get(content.criticism, nth)


def _write_reason(content: Content, nth: int) -> str:
    return f"The text speaks of {_join(content.keywords[nth : nth + 3])}."


def _write_question(content: Content, nth: int) -> str:
    form = _QUESTIONS[(content.salt + nth) % len(_QUESTIONS)]
    return form.format(_get(content.keywords, nth))


def _write_action(content: Content, nth: int) -> str:
    form = _ACTIONS[(content.salt + nth) % len(_ACTIONS)]
    return form.format(_get(content.keywords, 2 * nth), _get(content.keywords, 2 * nth + 1))


def _write_criterion(content: Content, nth: int) -> str:
    form = _CRITERIA[(content.salt + nth) % len(_CRITERIA)]
    return form.format(_get(content.keywords, 2 * nth), _get(content.keywords, 2 * nth + 1))


def _write_reply(content: Content, nth: int) -> str:
    return f"Thank you for writing about {_join(content.keywords[nth : nth + 2])}. We are looking into it."


def _write_name(content: Content, nth: int) -> str:
    return _get(content.names or content.keywords, nth)


def _write_title(content: Content, nth: int) -> str:
    words = _get(content.telling_sentences, nth).split()
    return " ".join(words[:MAX_TITLE_WORDS]).rstrip(".,;:")


def _write_mood(content: Content, _nth: int) -> str:
    return "positive" if content.mood > 0 else "negative" if content.mood < 0 else "neutral"


def _write_urgency(content: Content, _nth: int) -> str:
    return "high" if content.is_urgent else "medium"


def _write_keyword(content: Content, nth: int) -> str:
    return _get(content.keywords, nth)


_WRITERS: dict[Role, Callable[[Content, int], str]] = {
    "summary": _write_summary,
    "quote": _write_quote,
    "result": _write_quote,
    "praise": _write_praise,
    "criticism": _write_criticism,
    "reason": _write_reason,
    "question": _write_question,
    "criterion": _write_criterion,
    "action": _write_action,
    "reply": _write_reply,
    "name": _write_name,
    "title": _write_title,
    "mood": _write_mood,
    "urgency": _write_urgency,
    "language": lambda _content, _nth: "English",
}
"""How each role's text is made; a field of any other role gets a keyword."""


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
