import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llm_assets.core.markdown import (
    escape_markdown,
    render_code,
    render_json_block,
    render_link,
    render_table,
)

READER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
NASTY = [
    "a | b",
    "`code` and ``` fence",
    "<script>alert(1)</script>",
    "line\none\r\ntwo",
    "![x](http://tracker.invalid/p.png)",
    "[click](javascript:alert(1))",
    "# heading",
    "**bold** _it_ ~~gone~~",
    "back\\slash\\|",
    "&lt; & <",
    "half \ud800 and \u202eright to left",
    "\x00\x1b[31m",
]


def read_cells(markdown):
    """What a Markdown reader shows in each body cell, and the kinds of tokens it met in them."""
    cells, kinds, is_body = [], set(), False
    for token in READER.parse(markdown):
        is_body = is_body or token.type == "tbody_open"
        if token.type == "inline" and is_body:
            cells.append("".join(child.content for child in token.children or []))
            kinds |= {child.type for child in token.children or []}
    return cells, kinds


@pytest.mark.parametrize("text", NASTY)
def test_escaped_text_is_text(text):
    """In a table's cell a reader finds one cell that holds words only, whatever the text says."""
    cells, kinds = read_cells(render_table(["a", "b"], [[escape_markdown(text), "next"]]))
    assert len(cells) == 2
    assert cells[1] == "next"
    assert kinds <= {"text", "text_special", "entity"}


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_escaping_keeps_the_words(text):
    """A reader sees the same characters, white space apart."""
    cells, _ = read_cells(render_table(["a"], [[escape_markdown(f"x{text}x")]]))
    assert cells == [" ".join(f"x{text}x".split())]


def test_escaped_text_is_cut_before_it_is_escaped():
    """The limit counts the reader's characters, and no escape is torn apart by it."""
    assert escape_markdown("<<<<", max_chars=3) == "&lt;&lt;…"
    assert escape_markdown("abc", max_chars=3) == "abc"


@pytest.mark.parametrize(
    "text", ["plain", "``` closes\n```\n# out", "````", "<b>", "half \udfff", "\u202e", "\u2028# x"]
)
def test_json_block_stays_closed(text):
    """A fenced block holds all of its JSON and nothing of it gets out."""
    tokens = READER.parse(render_json_block({"text": text, "a": [1, None]}))
    assert [token.type for token in tokens] == ["fence"]
    assert json.loads(tokens[0].content)["a"] == [1, None]
    tokens[0].content.encode()


def test_code_span_falls_back_to_escaped_text():
    """A name that could end its code span or its cell is escaped instead."""
    assert render_code("data/in.csv") == "`data/in.csv`"
    assert render_code("a`b|c") == "a\\`b\\|c"
    assert render_code("") == ""


def test_link_survives_odd_file_names():
    """A path with spaces and brackets is one link to that path."""
    (token,) = (t for t in READER.parse(render_link("out/a b (1)|.csv")) if t.type == "inline")
    link, text, *_ = [c for c in token.children or () if c.type in {"link_open", "text"}]
    assert link.attrs["href"] == "out/a%20b%20%281%29%7C.csv"
    assert text.content.startswith("out/a b (1)")
