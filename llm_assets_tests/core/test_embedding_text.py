import json

import pytest
from pydantic import JsonValue

from llm_assets.config.embed import EmbedSettings
from llm_assets.core.embedding_text import BLANK, build_embedding_text
from llm_assets.errors import ConfigError

INPUT: dict[str, JsonValue] = {"title": "Belt", "id": "7"}
OUTPUT: dict[str, JsonValue] = {
    "summary": "The belt slips.",
    "tags": ["belt", "lathe"],
    "score": 3,
    "place": {"hall": "A"},
}


def build(output=None, **embed: object):
    recipe = build_embedding_text(EmbedSettings.model_validate(embed))
    return recipe.build_record(
        "w1", input_values=INPUT, output=OUTPUT if output is None else output
    )


@pytest.mark.parametrize(
    ("embed", "text"),
    [
        (
            {},
            'summary: The belt slips.\ntags: belt, lathe\nscore: 3\nplace: {"hall":"A"}',
        ),
        ({"fields": ["input.title", "output.place.hall"]}, "title: Belt\nplace.hall: A"),
        ({"fields": ["output.missing", "output.tags.1"]}, "tags.1: lathe"),
        ({"text": "{{ input.title }}: {{ output.tags | join(' ') }}\n"}, "Belt: belt lathe"),
    ],
)
def test_the_text_is_what_the_config_says(embed, text):
    """A template, named fields, or all of the output's fields where nothing is said."""
    record = build(**embed)
    assert (record.text, record.problem) == (text, None)


@pytest.mark.parametrize(
    ("embed", "problem"),
    [
        ({"text": "{{ output.mising }}"}, "`embed.text` cannot be rendered for it: "),
        ({"text": "{{ 1 / 0 }}"}, "`embed.text` cannot be rendered for it: "),
        ({"text": "  \n"}, BLANK),
        ({"fields": ["output.missing"]}, BLANK),
    ],
)
def test_a_record_without_a_text_has_a_problem(embed, problem):
    """It is told, and nobody else's text suffers."""
    record = build(**embed)
    assert record.text == ""
    assert record.problem is not None
    assert record.problem.startswith(problem)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{{ output.a", "cannot be read"), ("{{ outptu.a }}", "Did you mean 'output'?")],
)
def test_a_wrong_template_is_told_before_any_record(text, message):
    """A syntax error and a name that no record has are mistakes of the config."""
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        build(text=text)


def test_a_value_is_never_rendered_again():
    """Braces in a value stay what they are."""
    record = build({"summary": "{{ input.title }}"}, text="{{ output.summary }}")
    assert record.text == "{{ input.title }}"


def test_a_field_may_be_called_like_a_method():
    """And a nested value stands in the text as JSON."""
    record = build({"items": {"keys": 1}}, text="{{ output.items }} {{ output.items.keys }}")
    assert record.text == '{"keys":1} 1'


def test_the_hash_hangs_on_all_that_is_found():
    """A change in the payload alone changes it; the order of keys does not."""
    text = "{{ output.summary }}"
    first = build(text=text)
    assert json.loads(first.payload) == {"input": INPUT, "output": OUTPUT}
    assert build({**OUTPUT, "score": 4}, text=text).content_sha256 != first.content_sha256
    assert build(dict(reversed(OUTPUT.items())), text=text) == first


@pytest.mark.parametrize(
    ("embed", "message"),
    [
        ({"text": "x", "fields": ["output.a"]}, "not both"),
        ({"endpoint": "openai"}, "name the `model`"),
        ({"fields": ["summary"]}, "begins with `input.` or `output.`"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(embed, message):
    """The offline model's name is sent to no other endpoint, and a field says where it comes from."""
    with pytest.raises(ValueError, match=message):
        EmbedSettings.model_validate(embed)
