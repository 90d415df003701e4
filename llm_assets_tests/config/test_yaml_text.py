from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.base import PlainScalar
from llm_assets.config.problems import Position
from llm_assets.config.yaml_text import parse_yaml
from llm_assets.errors import ConfigError

FILE = "configs/x.yaml"


def parse_value(text):
    content = parse_yaml(f"key: {text}", file=FILE).content
    assert isinstance(content, dict)
    return content["key"]


def parse_message(text):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, file=FILE)
    return str(caught.value)


@pytest.mark.parametrize(
    "typed", ["no", "yes", "on", "12:30", "007", "1.10", "2024-01-02", "0x1F", "1_000", "true"]
)
def test_unquoted_scalars_stay_as_typed(typed):
    """Nothing is read into an unquoted scalar before its field is known."""
    value = parse_value(typed)
    assert value == typed
    assert isinstance(value, PlainScalar)


@pytest.mark.parametrize("quoted", ["'no'", '"no"', "|-\n  no", ">-\n  no"])
def test_quoted_scalars_are_plain_text(quoted):
    """Quotes and text blocks mark a value as text."""
    assert type(parse_value(quoted)) is str


@pytest.mark.parametrize("empty", ["", "~", "null", "# only a comment"])
def test_empty_values_are_none(empty):
    """A key without a value holds nothing, and a quoted word is no empty value."""
    assert parse_value(empty) is None
    assert parse_value("'null'") == "null"


def test_an_empty_text_is_a_document():
    """A file without content is no syntax error."""
    assert parse_yaml("# nothing yet\n", file=FILE).content is None


def test_positions_of_keys_and_values():
    """Keys, values and list items are found by line and column, counted from 1."""
    document = parse_yaml("a: 1\nb:\n  c: [x, y]\n", file=FILE)
    assert document.find_position(("b", "c"), of="key") == Position(3, 3)
    assert document.find_position(("b", "c", 1)) == Position(3, 10)
    assert document.find_position(("b", "missing", "deeper")) == Position(3, 3)
    assert document.find_position(()) == Position(1, 1)
    assert document.render_place(("a",)) == "configs/x.yaml:1:4"


def test_copied_characters_are_normalised():
    """A byte order mark and no-break spaces change neither content nor positions."""
    copied = "\ufeffllm:\n\u00a0\u00a0model:\u202fsmall one\n"
    document = parse_yaml(copied, file=FILE)
    assert document.content == {"llm": {"model": "small one"}}
    assert document.find_position(("llm", "model")) == Position(2, 10)


def test_aliases_repeat_what_their_anchor_holds():
    """Anchors spare typing; both places have the same content."""
    document = parse_yaml("a: &list [x, y]\nb: *list\n", file=FILE)
    assert document.content == {"a": ["x", "y"], "b": ["x", "y"]}


SYNTAX_MISTAKES = {
    "tab": ("a:\n\tb: 1", ":2:1: a tab stands where spaces are needed. Indent with spaces"),
    "too deep": ("a: 1\n  b: 2", ":2:4: this line is indented further than the lines"),
    "between levels": ("a:\n    b: 1\n  c: 2", ":3:3: this line is not indented like the lines"),
    "list in a block": ("a: 1\n- b", ":2:1: this line is not indented like the lines"),
    "two colons": ("a: b: c", ":1:5: this is the second `:` of the line. Put quotes around"),
    "no colon": ("a: 1\nb\nc: 2", ":2:1: this line is no `key: value`."),
    "open quote": ("a: 'x\nb: 2\n", ":1:4: the quote that opens here is never closed."),
    "quote inside": ("a: 'it's'", ":1:8: text follows after a closing quote."),
    "open list": ("a: [1, 2\nb: 3\n", ":1:4: the list that opens with `[` here is not closed"),
    "open block": ("a: {x: 1\nb: 3\n", ":1:4: the block that opens with `{` here is not closed"),
    "at sign": ("a: @x", ":1:4: text cannot start with this character. Put quotes"),
    "percent": ("a: %x", ":1:4: text cannot start with this character. Put quotes"),
    "star": ("a: *.csv", ":1:5: text cannot start with this character. Put quotes"),
    "bold": ("a: **x**", ":1:5: text cannot start with this character. Put quotes"),
    "backslash": ('a: "\\d"', ":1:6: inside of double quotes, a backslash has a meaning"),
    "template": ("a: {{ x }}", ":1:5: a: a key has to be text, and this is a list or a block."),
    "tag": ("a: !foo x", ":1:4: a: the tag `!foo` is not understood."),
    "code": ("a: !!python/name:os.system", ":1:4: a: the tag"),
    "merge": ("a: &a {b: 1}\nc:\n  <<: *a", ":3:3: c: blocks cannot be merged with `<<`."),
    "recursion": ("a: &a\n  b: *a", ": a.b: this alias (`*`) stands inside of what it repeats."),
    "same anchor": ("a: &x 1\nb: &x 2", ":2:4: this anchor (`&`) has the name of an earlier one."),
    "two documents": ("a: 1\n---\nb: 2", ":2:1: the file goes on after its end."),
    "control character": ("a: 1\nb: \x07", ":2:4: the file holds a character that no text has"),
    "too nested": ("[" * 500, ":1:1: lists or blocks stand too deep inside each other."),
    "rare": ("%YAML 3.0\n---\na: 1", ":1:1: this is not YAML (found incompatible YAML document"),
}


@pytest.mark.parametrize(("text", "expected"), SYNTAX_MISTAKES.values(), ids=SYNTAX_MISTAKES.keys())
def test_syntax_mistakes_name_place_and_remedy(text, expected):
    """A text that is not YAML is explained with file, line and column."""
    message = parse_message(text)
    assert message.startswith(FILE)
    assert expected in message


def test_a_duplicate_key_names_both_lines():
    """No value wins silently where a key was written twice."""
    message = parse_message("llm:\n  seed: 1\n  model: a\n  seed: 2\n")
    assert message == (
        "configs/x.yaml:4:3: llm.seed: this key stands in line 2 already. Keep one of the two."
    )


def test_all_duplicates_are_told_at_once():
    """Several structural mistakes make one error, in the order of the file."""
    message = parse_message("a: 1\na: 2\nb: 1\nb: 2\n")
    assert message.splitlines()[0] == "configs/x.yaml has 2 problems:"
    assert [line.split(": ")[0] for line in message.splitlines()[1:]] == [
        "  configs/x.yaml:2:1",
        "  configs/x.yaml:4:1",
    ]


@given(st.text(alphabet="ab:-[]{}'\"#&*!|>? \n\t%@\\\u00a0\ufeff", max_size=40))
def test_no_text_raises_anything_else(text):
    """Whatever a file holds, it is parsed or refused as a config."""
    with suppress(ConfigError):
        assert parse_yaml(text, file=FILE).file == FILE


def test_a_value_that_a_person_must_give_is_marked():
    """`!required` stands for no value yet, with the words of the file and its place; a list or block cannot be one."""
    document = parse_yaml(
        "a: !required which model\nb: [!required 'x: y']\nc: !required\n", file=FILE
    )
    assert document.content == {"a": None, "b": [None], "c": None}
    assert document.required == {("a",): "which model", ("b", 0): "x: y", ("c",): ""}
    assert document.render_place(("a",)) == "configs/x.yaml:1:4"
    assert "the tag `!required` is not understood" in parse_message("a: !required [x]")
