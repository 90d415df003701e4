import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.ids import TaskName
from llm_assets.core.report_index import build_report_index
from llm_assets.gateways.pages.rendering import (
    render_path,
    render_percent,
    render_plain,
    render_when,
)
from llm_assets.gateways.report_pages import render_index_html


class Reader(HTMLParser):
    """The elements and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def read_page(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def render(name: str) -> str:
    return render_index_html(build_report_index(TaskName(name), ()))


@given(
    st.text(alphabet=st.characters(codec=None))
    | st.sampled_from(["</title><script>", "{{ x }}", "<!--"])
)
def test_no_text_becomes_an_element(name):
    """Whatever a name is, the page has the same elements, and can be written as UTF-8."""
    html = render(name)
    assert read_page(html).tags == read_page(render("plain")).tags
    assert html.encode()


def test_a_text_stays_readable():
    """Marks of HTML stand in the page as they were written; what HTML cannot hold is replaced."""
    words = "".join(read_page(render("<b>R&D</b> \x00\ud800")).words)
    assert "<b>R&D</b> \ufffd\ufffd" in words


def test_the_policy_allows_the_own_script_and_style_alone():
    """They are named by the hashes of their bytes; nothing else may run, load, be sent or be framed in."""
    html = render("plain")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    for tag in ("style", "script"):
        content = re.findall(f"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        assert len(content) == 1
        sha256 = b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{sha256}&#39;;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;;")
    assert "unsafe" not in policy[1]
    assert re.findall(r'(?:src|href)="(?!#)[^"]*', html) == []


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0.0%"), (0.0001, "< 0.1%"), (0.25, "25.0%"), (1, "100.0%")]
)
def test_a_small_share_is_not_nothing(share, text):
    """One failed item among 20,000 is not 0.0%."""
    assert render_percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a <b>", "a <b>"),
        (None, ""),
        (True, "true"),
        (["one", 2], "• one\n• 2"),
        ({"a": 1, "b": None, "c": "x"}, "a: 1\nc: x"),
        ([{"a": 1, "b": "x"}, {"a": 2}], "• a: 1 · b: x\n• a: 2"),
        ({"a": ["x"]}, '{\n  "a": [\n    "x"\n  ]\n}'),
    ],
)
def test_values_read_well(value, text):
    """Text is text, lists and plain objects are lines, and only what is nested deeper is JSON."""
    assert render_plain(value) == text


def test_times_and_paths_are_the_same_everywhere():
    """Times do not follow the machine's language, and paths are addresses."""
    assert render_when(datetime(2026, 3, 1, 7, 5, tzinfo=UTC)) == "1 March 2026, 07:05"
    assert render_path("../a b/ü#1.csv") == "../a%20b/%C3%BC%231.csv"
