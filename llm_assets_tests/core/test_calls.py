import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from llm_assets.core.calls import Message
from llm_assets.core.item_loop import Ask, advance
from llm_assets_tests.core.builders import (
    build_call_settings,
    build_item,
    build_label_step,
    build_request,
)

SYSTEM = Message(role="system", content="Be kind.")
USER = Message(role="user", content="Hello")
SCHEMA: dict[str, JsonValue] = {"type": "json_schema", "json_schema": {"schema": {}}}


def call_with(settings):
    return build_request(settings=settings)


def tell(*messages):
    return build_request(messages=messages)


CHANGED = {
    "words": tell(Message(role="user", content="Hello ")),
    "role": tell(Message(role="assistant", content="Hello")),
    "a turn more": tell(SYSTEM, USER),
    "order of turns": tell(USER, SYSTEM),
    "model": call_with(build_call_settings(model="m-2")),
    "endpoint": call_with(build_call_settings(endpoint="http://f.invalid/v1")),
    "response format": call_with(build_call_settings(response_format=SCHEMA)),
    "level": call_with(build_call_settings(response_format={"type": "json_object"})),
    "temperature": call_with(build_call_settings(parameters={"temperature": 0.0})),
    "other temperature": call_with(build_call_settings(parameters={"temperature": 0.1})),
    "top_p": call_with(build_call_settings(parameters={"top_p": 0.1})),
    "seed": call_with(build_call_settings(parameters={"seed": 0})),
    "extra": call_with(build_call_settings(parameters={"reasoning": {"effort": "low"}})),
    "name of the cap": build_request(
        settings=replace(build_call_settings(), token_parameter="max_new"), max_output_tokens=100
    ),
    "cap": build_request(max_output_tokens=100),
    "attempt": build_request(attempt=2),
    "epoch": build_request(epoch=1),
    "occurrence": build_request(occurrence=1),
}


def find_first_key(step, item):
    asked = advance(step, item, (), n_known=0)
    assert isinstance(asked, Ask)
    return asked.request.build_key()


def test_everything_that_shapes_an_answer_changes_the_key():
    """Each part of a request makes a key of its own."""
    keys = {name: request.build_key() for name, request in CHANGED.items()}
    keys["nothing"] = build_request().build_key()
    assert len(set(keys.values())) == len(keys)


def test_equal_requests_have_equal_keys():
    """A request that was built twice is one call, whatever the order of its parameters."""
    one = build_call_settings(parameters={"seed": 1, "top_p": 0.5, "stop": ["a", "b"]})
    other = build_call_settings(parameters={"stop": ["a", "b"], "top_p": 0.5, "seed": 1})
    assert build_request(settings=one).build_key() == build_request(settings=other).build_key()


def test_where_a_row_stands_is_not_in_the_key():
    """Neither the row's place, nor its ids, nor how the task tries again change the first call."""
    key = find_first_key(build_label_step(), build_item(number=1))
    assert find_first_key(build_label_step(), build_item(number=7, occurrence=3)) == key
    patient = build_label_step(attempts=9, retry_failed=False, max_output_tokens_on_retry=5)
    assert find_first_key(patient, build_item()) == key


def test_what_the_prompt_does_not_show_is_not_in_the_key():
    """A column that the prompt leaves out can change without a new call."""
    item = build_item()
    values = {**item.work.values, "team": "legal"}
    moved = replace(item, work=replace(item.work, values=values))
    assert find_first_key(build_label_step(), moved) == find_first_key(build_label_step(), item)
    step = build_label_step(user="{{ row_block }}")
    assert find_first_key(step, moved) != find_first_key(step, item)


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_texts_do_not_run_together(one, other):
    """Two conversations share a key only if they are the same, wherever one turn ends and the next begins."""
    keys = [
        build_request(messages=tuple(Message(role="user", content=text) for text in texts))
        for texts in (one, other)
    ]
    assert (keys[0].build_key() == keys[1].build_key()) is (one == other)


PINNED_KEY = "acd1a0b33c3019f4b39e50447b3fa45ac28bd3bc1767dc35fe68466171552c0f"
"""It changes together with `KEY_VERSION` alone: whoever has a ledger pays for every call again."""
KEY_SCRIPT = """
from llm_assets.core.calls import CallRequest, CallSettings, Message
settings = CallSettings(endpoint="e", model="m", response_format={"b": {"z", "y"} and 1, "a": 2},
    parameters={name: 1 for name in {"alpha", "beta", "gamma", "delta"}}, token_parameter="max_tokens")
print(CallRequest(settings=settings, messages=(Message(role="user", content="Grüße \U0001f600"),),
    max_output_tokens=None, attempt=1, epoch=0, occurrence=0).build_key())
"""


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_keys_are_the_same_in_every_process(hash_seed):
    """A key depends neither on the process nor on its hash seed nor on the release, so a later run finds the answer."""
    done = subprocess.run(
        [sys.executable, "-c", KEY_SCRIPT],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == PINNED_KEY
