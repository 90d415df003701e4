"""What is wrong with a text that is not YAML, in words for a person who never read its grammar?"""

import re
from dataclasses import dataclass
from typing import Literal

import yaml

from llm_assets.config.problems import START, Position, Problem


@dataclass(frozen=True, slots=True)
class _Explanation:
    pattern: str
    """Looked for in the parser's own words, `context | problem`."""
    place: Literal["problem", "context"]
    """Which of the parser's two marks is where a person has to look."""
    what: str
    remedy: str


_EXPLANATIONS = (
    _Explanation(
        r"found character '\\t'",
        "problem",
        "a tab stands where spaces are needed.",
        "Indent with spaces, two for each level.",
    ),
    _Explanation(
        r"mapping values are not allowed here after a key",
        "problem",
        "this is the second `:` of the line.",
        "Put quotes around text that holds `: `.",
    ),
    _Explanation(
        r"mapping values are not allowed",
        "problem",
        "this line is indented further than the lines it belongs to.",
        "Start all keys of a block in the same column; leave a space after the `:` of the line above.",
    ),
    _Explanation(
        r"simple key .*could not find expected ':'",
        "context",
        "this line is no `key: value`.",
        "Add the `:` after the key, or indent the line if it continues a text.",
    ),
    _Explanation(
        r"quoted scalar .*unexpected end of stream",
        "context",
        "the quote that opens here is never closed.",
        "Close it, or write a quote inside of '…' twice.",
    ),
    _Explanation(
        r"flow sequence",
        "context",
        "the list that opens with `[` here is not closed, or lacks a comma.",
        "Separate with `,` and close with `]`; put quotes around text that starts with `[`.",
    ),
    _Explanation(
        r"flow mapping",
        "context",
        "the block that opens with `{` here is not closed, or lacks a comma.",
        "Separate with `,` and close with `}`; put quotes around text that starts with `{`.",
    ),
    _Explanation(
        r"found '<scalar>'",
        "problem",
        "text follows after a closing quote.",
        "Put the whole value into one pair of quotes; a quote inside of '…' is written twice.",
    ),
    _Explanation(
        r"found '<block (mapping|sequence) start>'|found '-'|found '\?'|sequence entries are not allowed",
        "problem",
        "this line is not indented like the lines it belongs to.",
        "Start all keys of a block in the same column, and each item of a list on its own line.",
    ),
    _Explanation(
        r"unknown escape character|escape sequence",
        "problem",
        "inside of double quotes, a backslash has a meaning of its own.",
        "Use single quotes, or write the backslash twice.",
    ),
    _Explanation(
        r"undefined alias|scanning an alias|scanning an anchor|cannot start any token|node content|scanning a (tag|block scalar)",
        "problem",
        "text cannot start with this character.",
        "Put quotes around the value.",
    ),
    _Explanation(
        r"undetermined tag handle|undefined tag handle",
        "problem",
        "text cannot start with `!`.",
        "Put quotes around the value.",
    ),
    _Explanation(
        r"duplicate anchor",
        "problem",
        "this anchor (`&`) has the name of an earlier one.",
        "Give it another name, or put quotes around text that starts with `&`.",
    ),
    _Explanation(
        r"single document|<document start>",
        "problem",
        "the file goes on after its end.",
        "Keep one document in a file, without a line of `---` or `...` inside.",
    ),
)


def build_syntax_problem(error: yaml.YAMLError | RecursionError, *, text: str) -> Problem:
    """The parser's error as a place and a remedy; its own words where no better ones are known."""
    if isinstance(error, yaml.MarkedYAMLError):
        return _build_marked_problem(error, lines=text.splitlines())
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        position = Position(before.count("\n") + 1, error.position - before.rfind("\n"))
        what = f"the file holds a character that no text has (U+{ord(text[error.position]):04X})."
        return Problem(position=position, what=what, remedy="Delete it.")
    what = "lists or blocks stand too deep inside each other."
    return Problem(
        position=START, what=what, remedy="Put quotes around text that starts with [ or {."
    )


def _build_marked_problem(error: yaml.MarkedYAMLError, *, lines: list[str]) -> Problem:
    mark = error.problem_mark
    before = lines[mark.line][: mark.column] if mark and mark.line < len(lines) else ""
    words = f"{error.context or ''} | {error.problem or ''}"
    words += " after a key" if re.search(r":\s", before) else ""
    for explanation in _EXPLANATIONS:
        if re.search(explanation.pattern, words):
            chosen = error.context_mark if explanation.place == "context" else error.problem_mark
            position = _position(chosen or mark)
            return Problem(position=position, what=explanation.what, remedy=explanation.remedy)
    what = f"this is not YAML ({words.strip(' |')})."
    remedy = "Put quotes around text with special characters."
    return Problem(position=_position(mark), what=what, remedy=remedy)


def _position(mark: yaml.Mark | None) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark else START
