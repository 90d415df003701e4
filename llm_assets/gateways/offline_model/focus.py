"""Which part of a prompt is the thing to be answered.

Prompts are mostly instructions that are the same for every item. What differs stands in lines `name: value`
or in the text under the last heading, so that is where the offline model looks.
"""

import re
from dataclasses import dataclass

from llm_assets.gateways.offline_model.lexicon import INSTRUCTIONS, read_words

_FIELD = re.compile(
    r"[ \t]*(?:[-*•][ \t]+)?[*\"]{0,2}([^\W\d_][^:\n]{0,79}?)[*\"]{0,2}:(?:[ \t]+(.*))?"
)
_MARKED_HEADING = re.compile(r"#{1,6}[ \t].*|<[\w -]+>|</[\w -]+>|\*\*[^*]+\*\*:?|=+[^=]+=+")
_HEADING_MARKS = frozenset("#<*=")
_DIGITS = re.compile(r"\d+")
_PARAGRAPH = re.compile(r"\n[ \t]*(?:[-=*_]{3,}[ \t]*)?\n")

Field = tuple[str, str]
"""A name and its value, as they stand in the prompt."""


@dataclass(frozen=True, kw_only=True)
class Focus:
    """The part of a prompt that its answer is about."""

    passages: tuple[str, ...]
    """Values of fields, or paragraphs."""
    fields: tuple[Field, ...]
    background: str
    """What stands before it, such as the context of a group."""


@dataclass(slots=True)
class _Section:
    heading: str
    fields: list[Field]
    paragraphs: list[str]


def parse_focus(text: str) -> Focus:
    """The last section with fields; else the last one with text; else all of the text."""
    sections = _join_alike(_split_sections(text))
    if not sections:
        return Focus(passages=(text.strip(),), fields=(), background="")
    places = [place for place, section in enumerate(sections) if section.fields]
    chosen_place = places[-1] if places else len(sections) - 1
    chosen, before = sections[chosen_place], sections[:chosen_place]
    return Focus(
        passages=tuple(value for _, value in chosen.fields) or tuple(chosen.paragraphs),
        fields=tuple(chosen.fields),
        background="\n".join(text for each in before for text in _list_texts(each)),
    )


def _list_texts(section: _Section) -> list[str]:
    return [value for _, value in section.fields] or section.paragraphs


def _join_alike(sections: list[_Section]) -> list[_Section]:
    """Sections with text; neighbours with the same heading, such as rows of a group, are one."""
    joined: list[_Section] = []
    for section in sections:
        if joined and joined[-1].heading == section.heading:
            joined[-1].fields.extend(section.fields)
            joined[-1].paragraphs.extend(section.paragraphs)
        elif section.heading or section.fields or section.paragraphs:
            joined.append(section)
    return [section for section in joined if section.fields or section.paragraphs]


def _split_sections(text: str) -> list[_Section]:
    """Cut at headings; numbers in them do not count, so that `Row 1` and `Row 2` are alike."""
    sections = [_Section(heading="", fields=[], paragraphs=[])]
    for paragraph in _PARAGRAPH.split(text):
        body: list[str] = []
        for line in paragraph.splitlines():
            heading = _read_heading(line.strip(), text, is_first=not body)
            if heading is None:
                body.append(line)
                continue
            _add_paragraph(sections[-1], body)
            body = []
            sections.append(_Section(heading=heading, fields=[], paragraphs=[]))
        _add_paragraph(sections[-1], body)
    return sections


def _read_heading(line: str, text: str, *, is_first: bool) -> str | None:
    """The line without its numbers where it is a heading: a marked one, or one that ends in a colon.

    A closing tag is a heading without words. `name:` is no heading but an empty field where the name is one word
    in lower case or has a value elsewhere.
    """
    if line[:1] in _HEADING_MARKS and _MARKED_HEADING.fullmatch(line):
        return "" if line.startswith("</") else _DIGITS.sub("", line)
    if not is_first or not line.endswith(":") or line.count(":") > 1:
        return None
    is_field = line[:-1].isidentifier() and line.islower()
    return None if is_field or f"\n{line} " in text else _DIGITS.sub("", line)


def _add_paragraph(section: _Section, body: list[str]) -> None:
    """Add the fields of a paragraph; a line that is none continues the value before it."""
    lines = [line for line in body if line.strip()]
    fields: list[Field] = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is not None:
            fields.append((match[1].strip(), (match[2] or "").strip().rstrip('",')))
        elif fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}".strip())
    if fields:
        section.fields.extend(field for field in fields if field[1])
    elif lines and not _is_instruction(lines[0]):
        section.paragraphs.append(" ".join(line.strip() for line in lines))


def _is_instruction(line: str) -> bool:
    words = read_words(line[:40])
    return bool(words) and words[0] in INSTRUCTIONS
