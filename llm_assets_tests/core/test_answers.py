import json
import subprocess
import sys
from datetime import date
from enum import Enum
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from llm_assets.core.answers import (
    MAX_PROBLEM_CHARS,
    MAX_PROBLEMS_SHOWN,
    InvalidAnswer,
    ValidAnswer,
    parse_answer,
)


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Urgency(Enum):
    LOW = "low"
    HIGH = "high"


class Part(Closed):
    name: str


class Ticket(Closed):
    label: str = ""
    count: int = 0
    share: float = 0.0
    is_open: bool = False
    urgency: Urgency = Urgency.LOW
    kind: Literal["bug", "wish"] = "bug"
    due: date | None = None
    parts: list[Part] = []
    score: Annotated[int, Field(alias="Score", ge=0)] = 0


class Loose(Closed):
    value: JsonValue


class Tags(Closed):
    tags: set[str]
    rows: list[dict[str, frozenset[int]]] = []


class Checked(Closed):
    number: int

    @field_validator("number")
    @classmethod
    def _check_number(cls, number: int) -> int:
        if number < 0:
            raise ValueError("must not be negative")
        return {1: 1}[number]


def accept(text, model: type[BaseModel] = Ticket):
    read = parse_answer(text, model)
    assert isinstance(read, ValidAnswer), read
    return read


def refuse(text, model: type[BaseModel] = Ticket):
    read = parse_answer(text, model)
    assert isinstance(read, InvalidAnswer), read
    return read.problem


def test_valid_answer_is_the_output():
    """The output is plain data under the schema's own names, defaults filled in."""
    read = accept('{"label": "a", "urgency": "high", "due": "2026-03-01", "Score": 3, "share": 1}')
    assert read.output == {
        "label": "a",
        "count": 0,
        "share": 1.0,
        "is_open": False,
        "urgency": "high",
        "kind": "bug",
        "due": "2026-03-01",
        "parts": [],
        "Score": 3,
    }
    assert not read.is_repaired


@pytest.mark.parametrize(
    ("text", "label", "is_repaired"),
    [
        ('{"label": "a"}', "a", False),
        ('```json\n{"label": "a"}\n```', "a", False),
        ('```\n{"label": "no"}\n```\n```json\n{"label": "a"}\n```', "a", False),
        ('<think>{"label": "no"}</think>\n{"label": "a"}', "a", False),
        ('Sure: {"label": "a"}. Bye.', "a", False),
        ('{"label": "a\nb\tc"}', "a\nb\tc", False),
        ("{'label': 'a',}", "a", True),
        ('{"label": "\ud800"}', "\ufffd", False),
        (r'{"label": "\ud800"}', "\ufffd", False),
        (r'{"label": "\ud83d\ude00"}', "\U0001f600", False),
    ],
)
def test_wrapping_is_taken_off(text, label, is_repaired):
    """Fences, thinking, prose, raw control characters and half characters cost no attempt; a repair is marked."""
    read = accept(text)
    assert (read.output["label"], read.is_repaired) == (label, is_repaired)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"count": "5"}', "count"),
        ('{"count": 5.0}', "count"),
        ('{"count": 5.5}', "count"),
        ('{"count": true}', "count"),
        ('{"count": null}', "count"),
        ('{"label": 5}', "label"),
        ('{"label": null}', "label"),
        ('{"is_open": 1}', "is_open"),
        ('{"is_open": "true"}', "is_open"),
        ('{"share": "0.5"}', "share"),
        ('{"urgency": "LOW"}', "urgency"),
        ('{"kind": "feature"}', "kind"),
        ('{"due": "soon"}', "due"),
        ('{"parts": {}}', "parts"),
        ('{"parts": [{"name": "a"}, {"name": 1}]}', "parts.1.name"),
        ('{"parts": [{}]}', "parts.0.name"),
        ('{"unknown": 1}', "unknown"),
        ('{"score": 1}', "score"),
        ('{"Score": -1}', "Score"),
        ('Here: {"count": "5"}', "count"),
        ("{'count': '5'}", "count"),
    ],
)
def test_validation_is_strict_and_names_the_field(text, field):
    """Nothing is converted, rounded or passed over, also after a repair; the problem says where."""
    assert f"`{field}`: " in refuse(text)


@pytest.mark.parametrize("text", ["[]", "5", "null", '"text"', '[{"label": "a"}]'])
def test_other_json_is_no_answer(text):
    """An answer is an object; a list of one is not."""
    assert "`answer`" in refuse(text)


@pytest.mark.parametrize("text", ["", "I don't know.", '{"label": "a', "[" * 100_000])
def test_no_json_is_said(text):
    """Where there is no complete JSON, the problem says that, and not what its beginning lacks."""
    assert refuse(text) == "The answer is not one complete JSON object."


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "[[1e999]]", '{"a": NaN}']
)
@pytest.mark.parametrize("frame", ['{"value": %s}', 'Well: {"value": %s}'])
def test_numbers_that_no_file_holds_are_refused(number, frame):
    """NaN and infinity, however spelled, are no numbers of JSON."""
    assert "finite" in refuse(frame % number, Loose)
    assert "finite" in refuse('{"share": 1e400}')


def test_number_of_any_length_is_no_crash():
    """A number of thousands of digits is a wrong value like others."""
    digits = "9" * 10_000
    assert "`count`" in refuse(f'{{"count": {digits}}}')
    assert "`count`" in refuse(f'So: {{"count": {digits},}}')
    parse_answer(f'{{"value": {digits}}}', Loose)


def test_any_depth_is_no_crash():
    """Nesting that no program can follow is an invalid answer."""
    for depth in (300, 1_000, 100_000):
        deep = "[" * depth + "]" * depth
        refuse(f'{{"value": {deep}}}', Loose)
        refuse(f'So: {{"value": {deep}}}', Loose)
        refuse('{"value":' * depth + "1" + "}" * depth, Loose)


def test_long_lists_of_problems_are_cut():
    """The next attempt is told a bounded part of what was wrong."""
    fields = ", ".join(f'"x{number}": 1' for number in range(20))
    problem = refuse(f"{{{fields}}}")
    assert problem.count("`x") == MAX_PROBLEMS_SHOWN
    assert problem.endswith("and 15 more")
    assert len(refuse(json.dumps({"y" * 10_000: 1}))) <= MAX_PROBLEM_CHARS + 1


def test_check_of_the_schema_is_told():
    """A validator's own words reach the model; one that breaks is the item's problem and stops nothing."""
    assert "must not be negative" in refuse('{"number": -1}', Checked)
    assert "KeyError" in refuse('{"number": 7}', Checked)
    assert accept('{"number": 1}', Checked).output == {"number": 1}


def test_sets_are_in_order():
    """A set has no order of its own, so its members are sorted."""
    read = accept('{"tags": ["d", "b", "a", "c", "b"], "rows": [{"x": [3, 1, 2]}]}', Tags)
    assert read.output == {"tags": ["a", "b", "c", "d"], "rows": [{"x": [1, 2, 3]}]}


SET_SCRIPT = """
from pydantic import BaseModel
from llm_assets.core.answers import parse_answer
class Tags(BaseModel):
    tags: set[str]
print(parse_answer('{"tags": ["d", "b", "a", "c"]}', Tags))
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_output_is_the_same_in_every_process(hash_seed):
    """An output's bytes do not depend on the process that reads the answer."""
    done = subprocess.run(
        [sys.executable, "-c", SET_SCRIPT],
        env={"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "['a', 'b', 'c', 'd']" in done.stdout


TEXTS = st.text() | st.text(alphabet="{}[]\":,'`\\\nabelNI1-+.eE ", max_size=60)


@hypothesis_settings(max_examples=2000)
@given(TEXTS)
def test_no_text_is_a_crash(text):
    """Whatever a model writes is valid or not; a valid one can be written to a file."""
    read = parse_answer(text, Loose)
    if isinstance(read, ValidAnswer):
        json.dumps(read.output, ensure_ascii=False, allow_nan=False).encode()
    else:
        read.problem.encode()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_valid_json_arrives_unchanged(value):
    """Nothing of a good answer is repaired, replaced or reordered."""
    text = json.dumps({"value": value})
    assert accept(text, Loose) == ValidAnswer(output={"value": value}, is_repaired=False)
    assert accept(f"```json\n{text}\n```", Loose).output == {"value": value}
