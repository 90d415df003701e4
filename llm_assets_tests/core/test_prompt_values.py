"""Whether a value that stands in a prompt is ever more than text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from llm_assets.config.prompt import PromptSettings
from llm_assets.core.ids import StepName
from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.prompts import GROUP_NAMES, JUDGE_NAMES, ROW_NAMES, build_prompt
from llm_assets.core.row_template import build_row_template
from llm_assets.core.upstream import StepFields

SCHEMA = '{"title": "Label {text} {{ text }}"}'
HOSTILE = (
    "{{ llm_schema }}",
    "{{ other }}",
    "{other}",
    "{{other}}",
    "{other.__class__}",
    "{other!r:>10}",
    "{0}",
    "{}",
    "{",
    "}",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-%}",
    "{% raw %}",
    "{% endraw %}",
    "{% set other = 1 %}",
    "%s",
    "%(other)s",
    "%",
    "$other",
    "${other}",
    "{{ ''.__class__.__mro__ }}",
    "{{ row.__init__.__globals__ }}",
    "__ROW_KV_BLOCK__",
    "{__ROW_KV_BLOCK__}",
    "<b>&amp;</b>",
    "\\n\\x00",
    "\x00\x1b[2J\x07\x7f\r\n\t\u2028\u202e\ufeff",
)
VALUES = st.lists(st.text(max_size=8) | st.sampled_from(HOSTILE), max_size=4).map("".join)
JINJA = (
    "<{{ text }}|{{ other }}|{{ row['text'] }}|{{ row_block }}|{{ llm_schema }}|{{ output_json }}>"
)
BRACES = "<{text}|{other}|{text}|{row_block}|{llm_schema}|{output_json}>"


def build(source: str, syntax: str):
    """The same text as every kind of turn."""
    turns = [{"role": role, "content": source} for role in ("user", "assistant")]
    return build_prompt(
        PromptSettings.model_validate(
            {"system": source, "messages": turns, "user": source, "syntax": syntax}
        ),
        path="prompts/p.yaml",
        columns=("text", "other"),
        item_names=ROW_NAMES | JUDGE_NAMES,
        llm_schema=SCHEMA,
    )


PROMPTS = {"jinja": build(JINJA, "jinja"), "braces": build(BRACES, "braces")}


@pytest.mark.parametrize("syntax", PROMPTS)
@given(text=VALUES, other=VALUES, block=VALUES, answer=VALUES)
def test_values_stand_verbatim_in_their_places(syntax, text, other, block, answer):
    """Every turn is the joined text of template and values: none is rendered, escaped, cut or seen by another one."""
    row = {"text": text, "other": other}
    values = {**row, "row": row, "row_block": block, "output": {"a": answer}, "output_json": answer}
    expected = f"<{text}|{other}|{text}|{block}|{SCHEMA}|{answer}>"
    messages = PROMPTS[syntax].render(values)
    assert [message.content for message in messages] == [expected] * 4
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]


class Earlier(BaseModel):
    """What an earlier step of a chain answers."""

    note: str
    lines: list[str]


def build_late(user: str, syntax: str = "jinja"):
    """A prompt of a later step, which knows everything that a prompt can know."""
    return build_prompt(
        PromptSettings.model_validate({"user": user, "syntax": syntax}),
        path="prompts/late.yaml",
        columns=("text",),
        item_names=ROW_NAMES | GROUP_NAMES | {"shelf"},
        llm_schema=SCHEMA,
        upstream={StepName("early"): build_json_schema(Earlier, mode="serialization")},
    )


LATE = build_late(
    "<{{ group_key }}|{{ group_context }}|{{ shelf }}|{{ steps.early.note }}"
    "|{{ steps.early.lines | join('/') }}|{{ steps.early.lines }}|{{ text }}>"
)


@given(note=VALUES, lines=st.lists(VALUES, max_size=3), group=VALUES, text=VALUES)
def test_what_groups_hooks_and_earlier_steps_say_is_text(note, lines, group, text):
    """A group's text, a hook's value and a model's own answer stand verbatim, lists as JSON, and none is rendered."""
    steps = StepFields({"early": {"note": note, "lines": lines}})
    names = {"group_key": group, "group_context": text, "shelf": note, "steps": steps}
    row = {"text": text}
    (message,) = LATE.render({**row, "row": row, "row_block": text, **names})
    spelled = json.dumps(lines, ensure_ascii=False, separators=(",", ":"))
    assert message.content == f"<{group}|{text}|{note}|{note}|{'/'.join(lines)}|{spelled}|{text}>"


OLD_LATE = build_late("<{steps.early.note}|{steps.early.lines}|{steps.early}|{text}>", "braces")


@given(note=VALUES, lines=st.lists(VALUES, max_size=3), text=VALUES)
def test_braces_copy_what_earlier_steps_say(note, lines, text):
    """In the older syntax a model's own answer stands verbatim, too, lists and objects as JSON."""
    answer = {"note": note, "lines": lines}
    row = {"text": text}
    names = {**row, "row": row, "row_block": text, "steps": StepFields({"early": answer})}
    (message,) = OLD_LATE.render(names)
    spelled, whole = (
        json.dumps(each, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        for each in (lines, answer)
    )
    assert message.content == f"<{note}|{spelled}|{whole}|{text}>"


class Watched(str):
    """A text that tells when anybody looks at its insides."""

    __slots__ = ()
    looked_at: list[str] = []  # noqa: RUF012 -- one list for all of a test's values

    def __getattribute__(self, name):
        if not name.startswith("__"):
            Watched.looked_at.append(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize("syntax", PROMPTS)
@given(text=VALUES)
def test_no_attribute_of_a_value_is_reached(syntax, text):
    """Whatever stands in a value, rendering copies it and asks it for nothing."""
    Watched.looked_at.clear()
    value = Watched(text)
    row = {"text": value, "other": value}
    names = {"row_block": value, "output": {"a": value}, "output_json": value}
    PROMPTS[syntax].render({**row, "row": row, **names})
    assert Watched.looked_at == []


@given(text=VALUES, other=VALUES)
def test_a_rendered_row_is_not_rendered_again(text, other):
    """A row goes through its own template and then stands in a prompt as it came out."""
    template = build_row_template("({{ text }}/{{ row_block }})", ("text", "other"))
    row = template.render({"text": text, "other": other}, line=1)
    inner = f"text: {text}" if text else "text:"
    outer = f"other: {other}" if other else "other:"
    assert row == f"({text}/{inner}\n{outer})"
    values = {"text": row, "other": "", "row": {"text": row}, "row_block": row}
    prompt = build("{{ text }}{{ row_block }}", "jinja")
    assert prompt.render({**values, "output": {}, "output_json": ""})[0].content == row + row
