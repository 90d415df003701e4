"""How text that others wrote is shown in Markdown without becoming Markdown."""

import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from pydantic import JsonValue

from llm_assets.core.shown_text import show_line, show_text

_MARKS = re.compile(r"[\\`*_\[\]#|~$]")


def escape_markdown(text: str, *, max_chars: int | None = None) -> str:
    """The text as plain words within a line, a heading or a table's cell.

    Line breaks become spaces, HTML becomes entities, marks of Markdown lose their meaning. A text longer than
    `max_chars` is cut and ends with an ellipsis.
    """
    line = (
        show_line(text, max_chars=max_chars)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    return _MARKS.sub(r"\\\g<0>", line)


def render_code(text: str) -> str:
    """A name, path or hash in a code span; escaped text where it holds what would end the span or the cell."""
    is_plain = text.isprintable() and not set("`|<>&") & set(text) and text == text.strip() != ""
    return f"`{text}`" if is_plain else escape_markdown(text)


def render_link(path: str) -> str:
    """A link to a file by its relative path, which it shows."""
    return f"[{escape_markdown(path)}]({quote(path, errors='replace')})"


def render_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of cells that are escaped already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def render_json_block(value: JsonValue) -> str:
    """The value as indented JSON in a fence, which no text in it can close: JSON has no line breaks in strings."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"```json\n{show_text(text)}\n```"
