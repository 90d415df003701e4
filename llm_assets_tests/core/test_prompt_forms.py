"""Prompts beyond a system and a user turn: examples, the older syntax, and what is said about their order."""

import pytest

from llm_assets.config.prompt import PromptSettings
from llm_assets.core.prompt_warnings import CONSIDERABLE_CHARS
from llm_assets.core.prompts import GROUP_NAMES, JUDGE_NAMES, ROW_NAMES, build_prompt
from llm_assets.errors import ConfigError

COLUMNS = ("text", "first name", "output")
EXAMPLE = (
    {"role": "user", "content": "Where is it?"},
    {"role": "assistant", "content": '{"label": "delivery"}'},
)
LONG = "x" * (CONSIDERABLE_CHARS + 1)


def build(item_names=ROW_NAMES, *, has_images=False, **settings):
    return build_prompt(
        PromptSettings.model_validate(settings),
        path="prompts/p.yaml",
        columns=COLUMNS,
        item_names=item_names,
        llm_schema='{"title": "Label"}',
        has_images=has_images,
    )


def render(prompt, **names):
    row = {"text": "Hm.", "first name": "Ada", "output": "own"}
    return [(turn.role, turn.content) for turn in prompt.render({**row, "row": row, **names})]


def fail(**settings):
    with pytest.raises(ConfigError) as caught:
        build(**settings)
    return str(caught.value)


def test_examples_stand_between_system_and_user():
    """A model reads the rules, then worked examples, then the question."""
    prompt = build(system="Rules.", messages=EXAMPLE, user="{{ text }}")
    assert render(prompt) == [
        ("system", "Rules."),
        ("user", "Where is it?"),
        ("assistant", '{"label": "delivery"}'),
        ("user", "Hm."),
    ]


def test_messages_can_be_the_whole_prompt():
    """A list of turns alone is sent as it stands, its system turn first."""
    turns = [
        {"role": "system", "content": "By {{ llm_schema }}"},
        *EXAMPLE,
        {"role": "user", "content": "{{ text }}"},
    ]
    rendered = render(build(messages=turns))
    assert [role for role, _ in rendered] == ["system", "user", "assistant", "user"]
    assert rendered[0][1] == 'By {"title": "Label"}'
    assert rendered[-1][1] == "Hm."


def test_an_empty_example_is_left_out():
    """An example that a condition leaves nothing of is not sent; the last turn always is."""
    turns = [{"role": "user", "content": "{% if text == 'x' %}Never.{% endif %}\n"}]
    assert render(build(messages=turns, user="{{ text }}")) == [("user", "Hm.")]
    assert render(build(user=" ")) == [("user", " ")]


def test_a_slip_in_a_message_is_told_with_its_place():
    """The message, its line and the columns are named, before anything is sent."""
    message = fail(messages=[*EXAMPLE, {"role": "user", "content": "Sort:\n{{ texd }}"}])
    assert "'prompts/p.yaml' uses {{ texd }} (line 2) in `messages[2]`" in message
    assert "Did you mean 'text'? Columns: text, first name, output." in message


def test_braces_fill_columns_and_names():
    """The older syntax knows the same names: columns, also with blanks, and those of the item."""
    prompt = build(
        user="{text}/{first name}/{output}/{row_block}/{__ROW_KV_BLOCK__}/{{x}} {{{text}}}",
        system="{llm_schema}",
        syntax="braces",
    )
    assert prompt.names == {"text", "first name", "output", "row_block", "llm_schema"}
    assert render(prompt, row_block="block") == [
        ("system", '{"title": "Label"}'),
        ("user", "Hm./Ada/own/block/block/{x} {Hm.}"),
    ]


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("{texd}", "{texd} (line 1)"),
        ("a\nb {text.upper}", "{text.upper} (line 2)"),
        ("{text!r}", "{text!r} (line 1)"),
        ("{text:>10}", "{text:>10} (line 1)"),
        ("{text[0]}", "{text[0]} (line 1)"),
        ("{0} {}", "{0} (line 1), {} (line 1)"),
        ("{ text }", "{text} (line 1)"),
        ("{row}", "{row} (line 1)"),
        (
            '{\n  "label": "delivery and all the rest of a long answer"}',
            '{"label": "delivery and all the rest of',
        ),
    ],
)
def test_braces_take_plain_names_alone(user, shown):
    """Attributes, indexes, formats and unknown names are found before the first call, with their lines."""
    message = fail(user=user, syntax="braces")
    assert f"uses {shown}" in message
    assert "Columns: text, first name, output" in message


def test_a_judge_in_braces_sees_the_answer_as_text():
    """`output` holds fields and is no text, so braces know the answer as `output_json`."""
    names = ROW_NAMES | JUDGE_NAMES
    assert render(build(names, user="{output_json}", syntax="braces"), output_json="{}") == [
        ("user", "{}")
    ]
    with pytest.raises(ConfigError, match=r"uses \{output\}"):
        build(names, user="{output}", syntax="braces")


def test_a_lone_brace_is_told_with_its_line():
    """JSON that was never meant as a template is answered with how braces are written."""
    message = fail(user='Answer so:\n{"a": {text}}', syntax="braces")
    assert "(`user`, line 2)" in message
    assert "`{{` and `}}` stand for single braces" in message


def test_the_hash_of_older_prompts_stays():
    """A prompt of system and user has the hash it always had; a message and the syntax are part of it."""
    old = "0473ef2dc0d324ab659d3580c1134e9d"
    plain = build(system="a", user="b")
    assert plain.sha256[:32] == old
    others = [
        build(system="a", user="b", syntax="braces"),
        build(system="a", messages=EXAMPLE, user="b"),
    ]
    assert len({plain.sha256, *(other.sha256 for other in others)}) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"system": LONG, "user": "{{ text }} Thanks."},
        {"messages": [{"role": "system", "content": LONG}, *EXAMPLE], "user": "{{ row_block }}"},
        {"user": LONG + "{{ llm_schema }}{% if text %}" + LONG + "{% endif %}"},
        {"system": "{% set rules = ['a'] %}{{ rules | join }}" + LONG, "user": "{{ text }}"},
        {"user": LONG + "{text}", "syntax": "braces"},
    ],
)
def test_a_prompt_in_order_is_not_warned_about(settings):
    """What never changes stands first, so providers find it in their caches."""
    assert build(**settings).warnings == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"user": "{{ text }}" + LONG}, "1,001 characters that never change after `text`"),
        ({"user": "{text}" + LONG, "syntax": "braces"}, "1,001 characters"),
        ({"system": "For {{ row['text'] }}.", "user": LONG}, "after `row`"),
        ({"user": "Sort this."}, "names nothing of an item"),
        (
            {"user": "{{ text }} {first name} {x}"},
            "holds `{first name}`, which is sent as it stands",
        ),
    ],
)
def test_a_prompt_out_of_order_is_warned_about(settings, words):
    """Values before many words that never change, and names that nothing fills, are told once."""
    (warning,) = build(**settings).warnings
    assert warning.startswith("Prompt 'prompts/p.yaml' ")
    assert words in warning


def test_words_that_are_the_same_for_all_may_go_with_pictures():
    """Where every item has pictures of its own, its prompt needs no word of its own."""
    assert build(user="Sort this page.", has_images=True).warnings == ()


def test_a_group_belongs_before_the_row():
    """A group's text after a row's values is in no cache, however short the prompt."""
    names = ROW_NAMES | GROUP_NAMES
    good = build(names, user="{{ group_key }}: {{ group_context }} {{ text }} {{ group_key }}")
    assert good.warnings == ()
    (warning,) = build(names, user="{{ text }} {{ group_context }}").warnings
    assert "`group_context` after `text`" in warning


def test_what_prompts_begin_with():
    """The common beginning of all prompts and that of a group end at the first value that differs."""
    names = ROW_NAMES | GROUP_NAMES
    prefix = build(
        names,
        system="Rules {{ llm_schema }}",
        user="Of {{ group_key }}: {{ group_context }}. {{ text }}!",
    ).shared_prefix
    assert prefix.text == 'Rules {"title": "Label"}Of '
    assert prefix.group_text == ": . "
    assert prefix.has_group_context
    assert not build(names, user="{{ text }}{{ group_context }}").shared_prefix.has_group_context
