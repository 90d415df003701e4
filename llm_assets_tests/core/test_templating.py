import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.templating import RENDER_ERRORS, template_environment

VALUES = st.text() | st.sampled_from(
    [
        "{{ name }}",
        "{% raw %}",
        "{# x #}",
        "{name}",
        "%s %(a)s",
        "$a ${b}",
        "}}",
        "{%",
        "\x00\x1b[0m",
    ]
)


def render(source, **values):
    return template_environment.from_string(source).render(values)


@given(VALUES, VALUES)
def test_values_come_out_as_they_are(one, other):
    """Whatever a value looks like, it is text: never a template, never escaped, trimmed or joined."""
    assert render("<{{ one }}|{{ other }}>\n", one=one, other=other) == f"<{one}|{other}>\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (False, "false"), (0, "0"), (1.5, "1.5"), ("", "")],
)
def test_cells_read_as_in_a_row_block(value, text):
    """An empty cell is nothing, truth values are spelled as in JSON."""
    assert render("{{ cell }}", cell=value) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ missing }}",
        "{{ row['missing'] }}",
        "{{ row.missing }}",
        "{{ missing.deeper }}",
        "{% if missing %}x{% endif %}",
        "{{ text.__class__ }}",
        "{{ text|attr('__class__') }}",
        "{{ '{0.__class__}'.format(text) }}",
        "{{ row.__class__.__mro__ }}",
        "{{ row.update({'a': 1}) }}",
        "{{ row.clear() }}",
        "{{ text.upper }}",
        "{{ row.items }}",
        "{{ range }}",
        "{{ joiner(',') }}",
        "{{ text|list|unique }}",
        "{{ text|map('upper') }}",
        "{{ self }}",
        "{{ 1 / 0 }}",
        "{{ text + 1 }}",
        "{% include 'other' %}",
        "{% import 'other' as other %}",
    ],
)
def test_refused_at_rendering(source):
    """Missing names, Python's insides, changes, and texts that differ from run to run are all errors."""
    with pytest.raises(RENDER_ERRORS):
        render(source, text="abc", row={"text": "abc"})


@pytest.mark.parametrize("source", ["{{ lipsum() }}", "{{ [1, 2]|random }}"])
def test_nothing_draws_at_random(source):
    """The same values give the same text, so what draws at random is not there."""
    with pytest.raises(RENDER_ERRORS):
        render(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ text.upper() }}", "ABC"),
        ("{{ text|upper }}", "ABC"),
        ("{{ text|list|unique|join(',') }}", "a,b,c"),
        ("{% for char in text %}{{ loop.index }}{{ char }}{% endfor %}", "1a2b3c"),
        ("{% for i in range(2) %}{{ i }}{% endfor %}", "01"),
        ("{{ row['two words'] }}", "here"),
        ("{{ [text]|tojson }}", '["abc"]'),
        ("{% raw %}{{ text }}{% endraw %}", "{{ text }}"),
        ("{{ absent|default('none') }}", "none"),
        ("a\n", "a\n"),
    ],
)
def test_templates_can_do_their_work(source, text):
    """Filters, loops and calls of harmless methods are there for prompts."""
    assert render(source, text="abc", row={"two words": "here"}) == text
