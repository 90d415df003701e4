from dataclasses import replace

import pytest

from llm_assets.config.prompt import PromptSettings
from llm_assets.core.prompts import (
    GROUP_NAMES,
    JUDGE_NAMES,
    ROW_NAMES,
    build_prompt,
    render_free_prompt,
)
from llm_assets.errors import ConfigError

COLUMNS = ("text", "first name", "row", "llm_schema")
VALUES = {"text": "Where?", "first name": "Ada", "row": "own row", "llm_schema": "own schema"}


def build(user="{{ text }}", *, system="", item_names=ROW_NAMES, columns=COLUMNS):
    return build_prompt(
        PromptSettings(system=system, user=user),
        path="prompts/triage.yaml",
        columns=columns,
        item_names=item_names,
        llm_schema='{"title": "Label"}',
    )


def render(prompt, values=VALUES, **names):
    return [(turn.role, turn.content) for turn in prompt.render({**values, "row": values, **names})]


def fail(user, **given):
    with pytest.raises(ConfigError) as caught:
        build(user, **given)
    return str(caught.value)


def test_turns():
    """A system turn comes first, the question after it."""
    prompt = build("{{ text }}", system="Answer by: {{ llm_schema }}")
    assert render(prompt) == [
        ("system", 'Answer by: {"title": "Label"}'),
        ("user", "Where?"),
    ]


@pytest.mark.parametrize("system", ["", " \n", "{% if text == 'x' %}Never.{% endif %}"])
def test_empty_system_turn_is_left_out(system):
    """A system text of which nothing is left is not sent."""
    assert render(build(system=system)) == [("user", "Where?")]


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("{{ text }}", "Where?"),
        ('{{ row["text"] }}', "Where?"),
        ("{{ row.text }}", "Where?"),
        ('{{ row["first name"] }}', "Ada"),
        ('{{ row["row"] }}', "own row"),
        ('{{ row["llm_schema"] }}', "own schema"),
        ("{{ llm_schema }}", '{"title": "Label"}'),
        ("{{ row_block }}", "the block"),
        ("{% for name in row %}{{ name }},{% endfor %}", "text,first name,row,llm_schema,"),
        ("{% for c in ['text'] %}{{ row[c] }}{% endfor %}", "Where?"),
        ("{{ row.get('text') }}", "Where?"),
        ("{% for row in ['a'] %}{{ row.x|default('own') }}{% endfor %}", "own"),
        ("{% for i in range(2) %}{{ i }}{% endfor %}", "01"),
    ],
)
def test_ways_to_name_a_value(user, text):
    """A column is reached by its name or as `row["name"]`, whatever it is called; our own names win."""
    assert render(build(user), row_block="the block") == [("user", text)]


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("{{ texd }}", "{{ texd }} (line 1)"),
        ("{{ b }}\n{{ a }}", "{{ a }} (line 2), {{ b }} (line 1)"),
        ('{{ row["texd"] }}', '{{ row["texd"] }} (line 1)'),
        ("Hello.\n\n{{ row.texd }}", '{{ row["texd"] }} (line 3)'),
        ("{% if texd is defined %}x{% endif %}", "{{ texd }} (line 1)"),
        ("{% if false %}\n{{ texd }}{% endif %}", "{{ texd }} (line 2)"),
        ("{{ group_context }}", "{{ group_context }} (line 1)"),
        ("{{ output }}", "{{ output }} (line 1)"),
        ("{{ lipsum() }}", "{{ lipsum }} (line 1)"),
    ],
)
def test_unknown_name_is_found_without_rendering(user, shown):
    """A name that no item has is told with the file, the part, the line, the columns and the other names."""
    message = fail(user)
    assert f"'prompts/triage.yaml' uses {shown} in `user`" in message
    assert "Columns: text, first name" in message
    assert "row_block" in message


@pytest.mark.parametrize("user", ["{{ texd }}", '{{ row["texd"] }}', "{{ row.texd }}"])
def test_unknown_name_gets_a_suggestion(user):
    """A slip of the pen is answered with the column that was meant."""
    assert "Did you mean 'text'?" in fail(user)


def test_unknown_name_in_the_system_text():
    """The part that has the slip is named."""
    assert "in `system`" in fail("{{ text }}", system="{{ texd }}")


def test_table_without_columns():
    """There may be no column to name."""
    assert "Columns: none." in fail("{{ text }}", columns=())


@pytest.mark.parametrize("item_names", [GROUP_NAMES, GROUP_NAMES | JUDGE_NAMES])
def test_columns_have_no_value_in_a_group(item_names):
    """Where an item is a group, a column's name is answered with the name that holds its rows."""
    message = fail("{{ text }}", item_names=item_names)
    assert "`group_context`" in message
    assert "first name" not in message


def test_names_of_a_group():
    """Group names are known in group modes, beside the row's where an item is a row."""
    prompt = build("{{ group_key }}: {{ group_context }}", item_names=GROUP_NAMES)
    assert render(prompt, {}, group_key="a", group_context="b") == [("user", "a: b")]
    both = build("{{ text }} of {{ group_key }}", item_names=GROUP_NAMES | ROW_NAMES)
    assert render(both, group_key="a") == [("user", "Where? of a")]


@pytest.mark.parametrize(
    ("user", "place"),
    [
        ("a\nb {{ text }\n", "(`user`, line 2)"),
        ("{{ first name }}", "(`user`, line 1)"),
        ("\n\n{% if text %}", "(`user`, line 3)"),
        ("{{ text|nofilter }}", "(`user`, line 1)"),
        ("{{ text is notest }}", "(`user`, line 1)"),
        ("\n{% nonsense %}", "(`user`, line 2)"),
    ],
)
def test_syntax_error_names_its_line(user, place):
    """A template that cannot be read is told with its file and line."""
    message = fail(user)
    assert "'prompts/triage.yaml' cannot be read" in message
    assert place in message


def test_blank_in_a_name_is_explained():
    """The way to reach a column with a blank stands in the message."""
    assert 'row["a name"]' in fail("{{ first name }}")


@pytest.mark.parametrize(
    "user",
    [
        "{{ text.__class__ }}",
        "{{ row.__class__ }}",
        "{{ text|attr('__class__') }}",
        "{{ '{0.__class__}'.format(text) }}",
        "{{ text.upper }}",
        "{{ text|map('upper') }}",
        "{{ text / 0 }}",
        "{{ row[text] }}",
        "{% include 'x' %}",
    ],
)
def test_what_fails_on_an_item_is_an_error_of_the_prompt(user):
    """Python's insides, methods and operators that fail are told with the file, and nothing is sent."""
    with pytest.raises(ConfigError, match=r"'prompts/triage\.yaml' cannot be rendered \(`user`\)"):
        render(build(user))


def test_fixed_turns_are_rendered_once():
    """A turn that no item changes is rendered when the prompt is built, and never again."""

    class NeverRendered:
        def render(self, values, /):
            raise AssertionError

    prompt = build(system="By: {{ llm_schema }}")
    system, user = prompt.turns
    unused = replace(prompt, turns=(replace(system, template=NeverRendered()), user))
    assert render(unused)[0] == ("system", 'By: {"title": "Label"}')
    assert build(system="For {{ text }}").turns[0].fixed_text is None


def test_schema_is_read_by_the_same_name_in_both_parts():
    """A column called `llm_schema` cannot take the schema's place."""
    assert render(build("{{ llm_schema }}", system="{{ llm_schema }} {{ text }}")) == [
        ("system", '{"title": "Label"} Where?'),
        ("user", '{"title": "Label"}'),
    ]


def test_names_that_are_used():
    """The prompt knows which names it needs, so that no other text is put together for it."""
    assert build("{{ text }}", system="{{ llm_schema }}").names == {"text", "llm_schema"}
    assert build("{% set x = 1 %}{{ x }}").names == set()


def test_hash_is_of_the_templates():
    """The prompt's hash changes with its words alone, and tells the parts apart."""
    assert build("a").sha256 == build("a", columns=(), item_names=GROUP_NAMES).sha256
    assert len({build("a").sha256, build("b").sha256, build("", system="a").sha256}) == 3


def test_free_prompt():
    """A prompt that is about no item knows the given names and no others."""
    settings = PromptSettings(system="S {{ a }}", user="{{ b }}")
    turns = render_free_prompt(settings, {"a": "{{ b }}", "b": 2}, path="p.yaml")
    assert [turn.content for turn in turns] == ["S {{ b }}", "2"]
    with pytest.raises(ConfigError, match=r"uses \{\{ b \}\} \(line 1\) in `user`"):
        render_free_prompt(settings, {"a": 1}, path="p.yaml")
