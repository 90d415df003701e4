"""Which line of a text names a field of the answer, and what stands behind the name.

    ## Summary            Section 1: Summary        **Rating**: 8        Rating - 8
    1. **Rating:** 8/10   Rating (1-10): 8          - Rating: 8          SUMMARY

A name counts where it stands alone between the beginning of its line and a colon, a dash or the line's end, so
that `Operating: 4` is no rating.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llm_assets.core.text_lines import Line

NO_LEVEL = 7
"""The level of a label that is no heading: below all of them."""

_MARKS = r"[*_`]{0,3}"
_BEFORE = (
    r"(?P<bullet>[-*+\u2022][ \t]{1,3}|\d{1,3}[.)][ \t]{1,3})?(?P<hashes>#{1,6})?[ \t]{0,3}(?P<open>"
    + _MARKS
    + r")(?P<ordinal>(?:section|part|step|chapter)[ \t]{1,3}(?:\d{1,2}|[a-z]|[ivx]{1,4})[ \t]{0,2}[.:)\u2013\u2014-]?[ \t]{0,3}"
    r"|\(?\d{1,2}(?:\.\d{1,2}){0,3}[.):]{0,2}[ \t]{1,3}"
    r"|[ivx]{1,4}[.)][ \t]{1,3})?(?P<inner>" + _MARKS + ")"
)
_BETWEEN_WORDS = r"(?:[^\w\n:]|_){0,4}"
_AFTER = (
    "(?P<close>" + _MARKS + r")(?:[ \t]{0,3}\([^()]{1,40}\))?(?P<late>" + _MARKS + ")"
    r"(?:[ \t]{0,3}(?P<colon>[:\uff1a=])[ \t]{0,3}(?P<value>.*)"
    r"|[ \t]{1,3}[-\u2013\u2014]{1,2}[ \t]{1,3}(?P<dashed>.*)"
    r"|(?P<beside>[ \t]{1,3}[^ \t].*)"
    r"|)"
)
_WORDS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A line's beginning that names a field."""

    field: str
    value: str
    """What stands behind it on the same line."""
    level: int
    """That of a heading, from 1; `NO_LEVEL` for any other label."""
    is_item: bool
    """Whether it stands in a list, where it may as well be an item that begins with the same word."""


def spell_name(name: str) -> str:
    """A name by its letters and digits alone: `analysis_points`, `Analysis points` and `ANALYSIS POINTS` are the same."""
    return "".join(_WORDS.findall(name)).lower()


class Labels:
    """The names that fields go by in a text."""

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        """`names` are those of each field; no two fields may share one."""
        self._fields = {spell_name(name): field for field, own in names.items() for name in own}
        spellings = {_spell_pattern(name) for own in names.values() for name in own}
        longest_first = sorted(
            filter(None, spellings), key=lambda spelling: (-len(spelling), spelling)
        )
        name = f"(?P<name>{'|'.join(longest_first)})"
        self._pattern = re.compile(f"{_BEFORE}{name}{_AFTER}", re.IGNORECASE)
        self.fields = frozenset(names)

    def find(self, line: Line, *, is_after_blank: bool) -> Label | None:
        """The field that a line names, if it does."""
        text = line.text.strip().rstrip("#").rstrip()
        found = self._pattern.match(text)
        if found is None or line.kind == "code":
            return None
        # Letters such as the dotless i match `i` where case does not count, and are another letter all the same.
        field = self._fields.get(spell_name(found["name"]))
        value = _read_value(found, text)
        if field is None or value is None:
            return None
        if not value and not _is_set_off(found, line, is_after_blank=is_after_blank):
            return None
        hashes = found["hashes"]
        return Label(
            field=field,
            value=value,
            level=len(hashes) if hashes else line.level or NO_LEVEL,
            is_item=found["bullet"] is not None and not hashes,
        )


def _read_value(found: re.Match[str], text: str) -> str | None:
    """What stands behind the name; nothing where it ends the line, None where the line is no label."""
    before, after = found["open"] or found["inner"], found["close"] or found["late"]
    beside: str | None = found["beside"]
    if beside is not None:  # `**Rating** 8` is a label, `Rating 8` the beginning of a sentence
        return beside.strip() if before and after else None
    value: str | None = found["value"] if found["value"] is not None else found["dashed"]
    if value is None:
        return "" if found.end() == len(text) else None
    value = value.strip()
    if before and not after:  # the marks close behind the colon, or at the line's end
        closing = before[::-1]
        if value.startswith(closing):
            return value[len(closing) :].strip()
        return value.removesuffix(closing).strip()
    return value


def _is_set_off(found: re.Match[str], line: Line, *, is_after_blank: bool) -> bool:
    """Whether a name that stands alone is a heading, and not a word that a line break has left alone."""
    is_marked = any(found[part] for part in ("hashes", "open", "ordinal", "inner", "colon"))
    name: str = found["name"]
    return is_marked or line.kind != "text" or is_after_blank or name[0].isupper()


def _spell_pattern(name: str) -> str:
    words = _WORDS.findall(_CAMEL.sub(" ", name))
    return _BETWEEN_WORDS.join(map(re.escape, words))
