"""Where the parts of a text answer begin and end."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from llm_assets.core.text_labels import Label, Labels
from llm_assets.core.text_lines import Line

NO_FIELDS: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What stands under the name of a field."""

    field: str
    level: int
    lines: list[Line]
    """What stands behind the name on its own line, and the lines below."""


def split_parts(
    lines: tuple[Line, ...], labels: Labels, *, lists: AbstractSet[str]
) -> tuple[Part, ...]:
    """The parts in their order; a field that is named twice has two.

    `lists` are the fields that hold lists. An item of such a list may begin like a label; it is one only where its
    field stands nowhere else.
    """
    parts = _split(lines, labels, lists=lists, missing=NO_FIELDS)
    missing = labels.fields - {part.field for part in parts}
    return _split(lines, labels, lists=lists, missing=missing) if missing else parts


def _split(
    lines: tuple[Line, ...], labels: Labels, *, lists: AbstractSet[str], missing: AbstractSet[str]
) -> tuple[Part, ...]:
    parts: list[Part] = []
    current: Part | None = None
    is_after_blank = True
    for line in lines:
        label = labels.find(line, is_after_blank=is_after_blank)
        is_after_blank = not line.text.strip() or line.kind in ("heading", "rule")
        is_in_list = current is not None and current.field in lists
        if label is not None and _is_item(label, is_in_list=is_in_list):
            label = label if label.field in missing else None
        if label is not None:
            current = Part(field=label.field, level=label.level, lines=[Line(text=label.value)])
            parts.append(current)
        elif line.kind == "heading" and (current is None or line.level <= current.level):
            current = None
        elif current is not None and line.kind != "rule":
            current.lines.append(line)
    return tuple(parts)


def _is_item(label: Label, *, is_in_list: bool) -> bool:
    """Whether a label in a list is rather an item of it: one of a list that is under way, or a word by itself."""
    return label.is_item and (is_in_list or not label.value)
