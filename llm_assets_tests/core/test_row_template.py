import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.row_template import build_row_template
from llm_assets.errors import ConfigError

COLUMNS = ("title", "release date", "votes", "is_live", "note")
VALUES = {"title": "Dawn", "release date": "2011", "votes": 3, "is_live": False, "note": None}
BLOCK = "title: Dawn\nrelease date: 2011\nvotes: 3\nis_live: false\nnote:"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ row_block }}", BLOCK),
        ("{__ROW_KV_BLOCK__}", BLOCK),
        ("<row>\n{__ROW_KV_BLOCK__}\n</row>\n", f"<row>\n{BLOCK}\n</row>"),
        ("- {{ title }} ({{ votes }})", "- Dawn (3)"),
        ('{{ row["release date"] }}', "2011"),
        ("{{ is_live }}|{{ note }}|", "false||"),
        ("{% if is_live %}live{% else %}studio{% endif %}", "studio"),
        ("{{ title | upper }} {{ votes + 1 }}", "DAWN 4"),
        ("{% for n in range(votes) %}*{% endfor %}", "***"),
        ("{title} {}", "{title} {}"),
    ],
)
def test_what_a_template_can_say(source, text):
    """A template uses the block in both spellings, columns by name or by key, and plain Jinja."""
    assert build_row_template(source, COLUMNS).render(VALUES, line=2) == text


def test_a_column_called_row_block_does_not_hide_the_block():
    """The block keeps its name; a column of that name is reached through `row`."""
    template = build_row_template("{{ row_block }}/{{ row['row_block'] }}", ("row_block",))
    assert template.render({"row_block": "x"}, line=2) == "row_block: x/x"


@pytest.mark.parametrize("source", ["{{ row_block }}", "{__ROW_KV_BLOCK__}"])
@pytest.mark.parametrize("cell", ["{{ 7*7 }}", "{__ROW_KV_BLOCK__}", "{% raw %}", "{#", "<b>&amp;"])
def test_template_marks_inside_a_cell_come_out_verbatim(source, cell):
    """What a cell holds is text for the model and never a template."""
    template = build_row_template(source + "|{{ title }}", ("title",))
    assert template.render({"title": cell}, line=2) == f"title: {cell}|{cell}"


@given(cell=st.text(min_size=1))
def test_any_cell_comes_out_verbatim(cell):
    """No character of any text is lost, doubled or escaped on its way into the context."""
    template = build_row_template("[{{ title }}]{{ row_block }}", ("title",))
    assert template.render({"title": cell}, line=2) == f"[{cell}]title: {cell}"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ titel }}", "uses 'titel'"),
        ("{{ votes }} {{ __ROW_KV_BLOCK__ }}", "uses '__ROW_KV_BLOCK__'"),
        ("{{__ROW_KV_BLOCK__}}", "uses '__ROW_KV_BLOCK__'"),
        ("{{ lipsum() }}", "uses 'lipsum'"),
        ("{% if title %}", "cannot be read"),
        ("{{ title | shout }}", "cannot be read"),
        ("{{ title | random }}", "cannot be read"),
    ],
)
def test_mistakes_are_found_before_any_row(source, reason):
    """An unknown name or broken syntax is an error of the setting, with the columns there are."""
    with pytest.raises(ConfigError) as caught:
        build_row_template(source, COLUMNS)
    assert f"`context.row_template` {reason}" in str(caught.value)
    assert "Columns: 'title', 'release date', 'votes', 'is_live', 'note'." in str(caught.value)


def test_a_near_name_is_suggested():
    """A misspelt column comes with the name that was meant."""
    with pytest.raises(ConfigError, match="Did you mean 'title'"):
        build_row_template("{{ titel }}", COLUMNS)


@pytest.mark.parametrize(
    "source",
    [
        '{{ row["titel"] }}',
        "{{ title.upper }}",
        "{{ title + 1 }}",
        "{{ votes / 0 }}",
        "{{ title.__class__.__mro__ }}",
        "{{ row.update({'title': 'x'}) }}",
        "{% include 'other' %}",
        "{{ '%d' | format(title) }}",
    ],
)
def test_failing_on_a_row_names_its_line(source):
    """A template that a row's values break is an error of the setting that names the line of the row."""
    template = build_row_template(source, COLUMNS)
    with pytest.raises(ConfigError, match=r"`context\.row_template` cannot .* line 12 .*Columns:"):
        template.render(VALUES, line=12)
