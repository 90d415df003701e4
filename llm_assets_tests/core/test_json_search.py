import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.json_search import MAX_REPAIRED_DEPTH, find_json

ONE = '{"a": 1}'
TWO = '{"a": 2}'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # prose around it
        (f"Here you are: {ONE} Anything else?", {"a": 1}),
        (f"Use {{name}} like this: {ONE}", {"a": 1}),
        (f"As [1] and [2] say: {ONE}", {"a": 1}),
        (f"{ONE}\n{TWO}", {"a": 1}),
        ('{"a": "}"} and {', {"a": "}"}),
        (f"\ufeff {ONE}", {"a": 1}),
        (f"[{ONE}, {TWO}]", [{"a": 1}, {"a": 2}]),
        # fences
        (f"```json\n{ONE}\n```", {"a": 1}),
        (f"```\n{ONE}\n```", {"a": 1}),
        (f"```JSON\r\n{ONE}\r\n```", {"a": 1}),
        (f"```json {ONE}```", {"a": 1}),
        (f"``` json\n\n  {ONE}\n", {"a": 1}),
        (f"```text\n{ONE}\n```\nor rather\n```json\n{TWO}\n```", {"a": 2}),
        (f"```\n{ONE}\n```\n```\n{TWO}\n```", {"a": 1}),
        (f"For instance {ONE}, so:\n```json\n{TWO}\n```", {"a": 2}),
        (f"```python\nx = 1\n```\n{ONE}", {"a": 1}),
        ('```json\n{"a": "```py\\nx\\n```"}\n```', {"a": "```py\nx\n```"}),
        ('{"a": "```json\n{}\n```"}', {"a": "```json\n{}\n```"}),
        # thinking
        (f"<think>Perhaps {TWO}?</think>{ONE}", {"a": 1}),
        (f"\n <think>\n```json\n{TWO}\n```</think>\n```json\n{ONE}\n```", {"a": 1}),
        (f"Perhaps {TWO}?</think>{ONE}", {"a": 1}),
        ('{"a": "</think>"} ', {"a": "</think>"}),
        # raw control characters
        ('{"a": "one\ntwo\tthree\x01"}', {"a": "one\ntwo\tthree\x01"}),
    ],
)
def test_json_is_found_where_it_is(text, value):
    """Thinking and prose are passed over, a fence that says JSON comes first, and nothing is repaired."""
    found = find_json(text)
    assert found
    assert json.loads(found.text) == value
    assert not found.is_repaired


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 1}", {"a": 1}),
        ('{"a": 1,}', {"a": 1}),
        ("{a: 1, b: True}", {"a": 1, "b": True}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ("Here: {'a': 1}. Done.", {"a": 1}),
        ("Use {x}: {'a': 1, 'b': 2}", {"a": 1, "b": 2}),
        ("{'a': 'much longer than that'}\n```json\n{'a': 2}\n```", {"a": 2}),
        ("{'a': {\"a\": 2}}", {"a": {"a": 2}}),
    ],
)
def test_broken_json_is_repaired_and_marked(text, value):
    """Quotes, commas and words of other languages are mended; a part of a broken whole is never taken for it."""
    found = find_json(text)
    assert found
    assert json.loads(found.text) == value
    assert found.is_repaired


def test_readable_json_comes_before_broken_json():
    """Nothing is repaired while there is an object that can be read."""
    found = find_json(f"{{'a': 'a long first draft'}} {ONE}")
    assert found
    assert (json.loads(found.text), found.is_repaired) == ({"a": 1}, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I can't say.",
        "5",
        '"text"',
        "}{",
        "```json\n```",
        '{"a": 1',
        '{"a": 1, "b": "cut in the mid',
        '{"a": {"b": 1}, "c": "cut',
        '{"a": 1, "b": "cut after a } and so',
        '{"a": 1, "b": "cut after \\"} and so',
        '{"a": 1, "b": "cut after } {} and so',
        "{'a': 1, \"b\": \"cut after } {'a': 2} and so",
        '```json\n{"a": 1,\n```',
        f"<think>Perhaps {ONE}, or",
        "[" * 100_000,
        '{"a":' * 100_000,
        "[" * 50_000 + "]" * 50_000,
        "{'a':" * 2_000 + "1" + "}" * 2_000,
        '{"a" ' * 2_000 + "}" * 2_000,
        '{"' * 20_000,
        "```json\n" * 10_000,
    ],
)
def test_nothing_is_found_in_what_is_no_json_or_cut_off(text):
    """An answer whose end is missing is not taken for a shorter one, and no nesting is too deep to be refused."""
    assert find_json(text) is None


def test_repairing_has_a_depth():
    """Broken JSON that is nested like no answer is not repaired, because that takes minutes."""
    depth = MAX_REPAIRED_DEPTH
    assert find_json("{'a':" * depth + "1" + "}" * depth)
    assert find_json("{'a':" * (depth + 1) + "1" + "}" * (depth + 1)) is None


def test_lone_surrogates_are_replaced():
    """Half a character, which no file can hold, becomes the replacement character; whole ones stay."""
    found = find_json(r'x {"a": "\ud83d", "b": "\ud83d\ude00"}')
    assert found
    assert json.loads(found.text) == {"a": "\ufffd", "b": "\U0001f600"}


JSON_LIKE = st.text(alphabet="{}[]\":,'`\\ntruefalsj10.-+eE \n</hik>", max_size=40)
PROSE = st.text(alphabet="abc .\n", max_size=10)


@given(JSON_LIKE | st.text())
def test_search_never_raises(text):
    """Whatever a model writes, the search ends with JSON text or nothing."""
    found = find_json(text)
    if found:
        json.loads(found.text)


@given(PROSE, st.dictionaries(st.text(), st.text() | st.integers(), max_size=3), PROSE)
def test_object_in_prose_is_found_whole(before, value, after):
    """An object is read as it was written, whatever its texts hold."""
    found = find_json(f"{before}{json.dumps(value)}{after}")
    assert found
    assert not found.is_repaired
    assert json.loads(found.text) == value


TRICKY = st.text() | st.text(alphabet="{}[]\"\\'a:, ", max_size=12)


@given(st.dictionaries(TRICKY, TRICKY | st.booleans(), min_size=1, max_size=3), st.data())
def test_cut_off_object_is_not_found(value, data):
    """However much of an object is missing at its end, nothing shorter is made of it."""
    text = json.dumps(value)
    kept = data.draw(st.integers(1, len(text) - 1))
    assert find_json(text[:kept]) is None
