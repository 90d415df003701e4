import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateRuntimeError, TemplateSyntaxError

from llm_assets.core.brace_templates import BraceName, parse_braces

VALUES = {"text": "Where?", "Time (min)": 5, "empty": None, "flag": True, "row_block": "the block"}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{text}", "Where?"),
        ("a{text}b{text}", "aWhere?bWhere?"),
        ("{Time (min)} min", "5 min"),
        ("[{empty}] {flag}", "[] true"),
        ("{{text}}", "{text}"),
        ("{{{text}}}", "{Where?}"),
        ('{{"label": "{text}"}}', '{"label": "Where?"}'),
        ("{{}}", "{}"),
        ("{__ROW_KV_BLOCK__}", "the block"),
        ("{% if x %} {# x #} 100% %s", None),
    ],
)
def test_names_and_doubled_braces(source, text):
    """A plain name becomes its value, a doubled brace a single one, and nothing else has a meaning."""
    if text is None:
        names = [p.name for p in parse_braces(source).pieces if isinstance(p, BraceName)]
        assert names == ["% if x %", "# x #"]
    else:
        assert parse_braces(source).render(VALUES) == text


@pytest.mark.parametrize(
    ("source", "line"), [("{", 1), ("}", 1), ("a\n{text", 2), ("{text}\n\n}", 3), ("{a{b}", 1)]
)
def test_a_single_brace_is_an_error_with_its_line(source, line):
    """A brace without a partner is told, with the way to write one that is meant."""
    with pytest.raises(TemplateSyntaxError, match="stand for single braces") as caught:
        parse_braces(source)
    assert caught.value.lineno == line


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], print])
def test_only_texts_and_numbers_are_shown(value):
    """A list or a block would be Python's own spelling of it, so it is refused."""
    with pytest.raises(TemplateRuntimeError, match="neither a text nor a number"):
        parse_braces("{text}").render({"text": value})


@given(st.text())
def test_any_text_can_be_written(text):
    """With every brace doubled, a template says any text to the letter."""
    source = text.replace("{", "{{").replace("}", "}}")
    assert parse_braces(source).render({}) == text


@given(st.text(alphabet="{}ab\n"))
def test_reading_is_total(source):
    """Any text is read or refused as a template, and names hold no brace."""
    try:
        template = parse_braces(source)
    except TemplateSyntaxError:
        return
    names = [piece.name for piece in template.pieces if isinstance(piece, BraceName)]
    assert not any(mark in name for name in names for mark in "{}")
