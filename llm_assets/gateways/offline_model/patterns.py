"""Which text a regular expression matches."""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_PATTERN_LENGTH = 500
"""A longer pattern is no pattern for a person's data; it is not tried."""

MAX_COUNT = 1000

_COUNT = re.compile(r"(?:(?P<mark>[*+?])|\{(?P<least>\d*)(?:,(?P<most>\d*))?\})[?+]?")
_CLASSES = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz", "s": " "}
_OUTSIDE = {
    "D": "abcdefghijklmnopqrstuvwxyz",
    "W": "-. ",
    "S": "abcdefghijklmnopqrstuvwxyz0123456789",
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}
_ANY = "abcdefghijklmnopqrstuvwxyz"
_PRINTABLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.,:;/#+()'@!?&%="


@lru_cache(maxsize=256)
def build_matching_text(pattern: str, min_length: int, nth: int) -> str | None:
    """A text that `pattern` is found in and that has at least `min_length` characters.

    Another `nth` gives another text where the pattern leaves a choice. None where the pattern uses more than
    characters, classes, groups, alternatives and counts, such as looking ahead.
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        return None
    for n_more in (0, 1, 2, 4, 8, 16, 32, 64, min_length):
        try:
            text = _Writer(pattern, nth=nth, n_more=n_more).write()
        except (_NotUnderstoodError, IndexError):
            return None
        if len(text) >= min_length and is_match(pattern, text):
            return text
    return None


def is_match(pattern: str, text: str) -> bool:
    """Whether the pattern is found; a pattern that Python cannot read counts as found."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


class _NotUnderstoodError(Exception):
    """The pattern uses something that is not written here."""


@dataclass(slots=True)
class _Writer:
    """Walks a pattern once and writes one text that it matches."""

    pattern: str
    nth: int
    """Used up digit by digit, wherever the pattern leaves a choice."""
    n_more: int
    """How often an open-ended part is repeated beyond its least number."""
    at: int = 0

    def write(self) -> str:
        text = self._write_alternatives()
        if self.at < len(self.pattern):
            raise _NotUnderstoodError
        return text

    def _pick(self, options: str) -> str:
        self.nth, place = divmod(self.nth, len(options))
        return options[place]

    def _is_at(self, mark: str) -> bool:
        return self.pattern.startswith(mark, self.at)

    def _write_alternatives(self) -> str:
        """Alternatives up to the end of the group; all are walked, one is taken."""
        start_nth = self.nth
        options = [self._write_row()]
        while self._is_at("|"):
            self.at += 1
            options.append(self._write_row())
        if len(options) > 1:
            self.nth, place = divmod(start_nth, len(options))
            return options[place]
        return options[0]

    def _write_row(self) -> str:
        parts: list[str] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            start = self.at
            part = self._write_atom()
            count = self._read_count()
            after = self.at
            parts.append(part if count else "")
            for _ in range(count - 1):
                self.at = start
                parts.append(self._write_atom())
            self.at = after
        return "".join(parts)

    def _write_atom(self) -> str:
        char = self.pattern[self.at]
        self.at += 1
        match char:
            case "^" | "$":
                return ""
            case ".":
                return self._pick(_ANY)
            case "(":
                return self._write_group()
            case "[":
                return self._pick(self._read_set())
            case "\\":
                return self._write_escape()
            case "*" | "+" | "?" | "{":
                raise _NotUnderstoodError
            case _:
                return char

    def _write_group(self) -> str:
        if self._is_at("?:"):
            self.at += 2
        elif match := re.compile(r"\?P?<\w+>").match(self.pattern, self.at):
            self.at = match.end()
        elif self._is_at("?"):
            raise _NotUnderstoodError
        text = self._write_alternatives()
        if not self._is_at(")"):
            raise _NotUnderstoodError
        self.at += 1
        return text

    def _write_escape(self) -> str:
        char = self.pattern[self.at]
        self.at += 1
        if char in "bAzZ":
            return ""
        options = _CLASSES.get(char) or _OUTSIDE.get(char)
        if options:
            return self._pick(options)
        if char.isalnum() and char not in _CONTROLS:
            raise _NotUnderstoodError
        return _CONTROLS.get(char, char)

    def _read_set(self) -> str:
        """The characters of `[...]`."""
        is_negated = self._is_at("^")
        self.at += is_negated
        chars = ""
        while not self._is_at("]") or not chars:
            chars += self._read_member()
        self.at += 1
        if is_negated:
            chars = "".join(char for char in _PRINTABLE if char not in chars)
        if not chars:
            raise _NotUnderstoodError
        return chars

    def _read_member(self) -> str:
        char = self.pattern[self.at]
        self.at += 1
        if char == "\\":
            char = self.pattern[self.at]
            self.at += 1
            if char in _CLASSES or char in _OUTSIDE:
                return _CLASSES.get(char) or _OUTSIDE[char]
            char = _CONTROLS.get(char, char)
        if self._is_at("-") and self.pattern[self.at + 1] != "]":
            last = self.pattern[self.at + 1]
            self.at += 2
            return "".join(map(chr, range(ord(char), min(ord(last), ord(char) + 100) + 1)))
        return char

    def _read_count(self) -> int:
        """How often the atom before is written."""
        match = _COUNT.match(self.pattern, self.at)
        if match is None:
            return 1
        self.at = match.end()
        if match["mark"]:
            least = 1 if match["mark"] == "+" else 0
            return min(1, self.n_more) if match["mark"] == "?" else least + self.n_more
        least = int(match["least"] or 0)
        most = int(match["most"]) if match["most"] else least if match["most"] is None else None
        if least > MAX_COUNT:
            raise _NotUnderstoodError
        return least + self.n_more if most is None else min(most, least + self.n_more)
