from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from llm_assets.core.ids import StepName
from llm_assets.core.run_origin import GitState, render_git_state, select_output_changes
from llm_assets.core.setting_changes import (
    SettingChange,
    apply_setting_changes,
    build_changes_record,
    list_setting_changes,
    render_setting_change,
)

FILED: dict[str, JsonValue] = {
    "prompt": "p",
    "llm": {"seed": 1, "extra": {}},
    "export": {"formats": ["csv"]},
}
SET: dict[str, JsonValue] = {
    "prompt": "q",
    "llm": {"seed": 1, "extra": {"a": 1}},
    "export": {"formats": ["psv"]},
}


def test_what_differs_is_listed_with_both_values():
    """Lists and values are compared as a whole, blocks key by key."""
    changes = list_setting_changes(FILED, SET)
    assert [(each.path, each.file_value, each.run_value) for each in changes] == [
        ("prompt", "p", "q"),
        ("llm.extra.a", None, 1),
        ("export.formats", ["csv"], ["psv"]),
        ("llm.extra", {}, None),
    ]
    assert list_setting_changes(FILED, FILED) == ()


def test_what_a_file_leaves_open_had_no_value():
    """What stands in for a value that must be given is not shown as the file's, even where it is the same."""
    (change,) = list_setting_changes(FILED, FILED, gaps=["llm.seed"])
    assert (change.path, change.file_value, change.run_value) == ("llm.seed", None, 1)


def build_steps(*steps: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"llm": {"model": "m", "seed": 1}, "steps": [*steps]}


def test_steps_are_compared_by_their_names():
    """A step's value is told by its path, and where the file's step says nothing, with what holds for the task."""
    filed = build_steps({"name": "a", "llm": None}, {"name": "b", "llm": {"model": "n"}})
    run = build_steps(
        {"name": "a", "llm": {"model": "x", "seed": 1}},
        {"name": "b", "llm": {"model": "n", "top_p": 0.5}},
    )
    changes = list_setting_changes(filed, run)
    assert [(each.path, each.file_value, each.run_value) for each in changes] == [
        ("steps.a.llm.model", "m", "x"),
        ("steps.b.llm.top_p", None, 0.5),
    ]
    changed = apply_setting_changes(filed, changes)
    assert changed["steps"] == [
        {"name": "a", "llm": {"model": "x"}},
        {"name": "b", "llm": {"model": "n", "top_p": 0.5}},
    ]
    assert filed["steps"] == [{"name": "a", "llm": None}, {"name": "b", "llm": {"model": "n"}}]


def test_other_steps_are_another_list():
    """Where steps come, go or change places, both lists are told as a whole."""
    a: dict[str, JsonValue] = {"name": "a", "prompt": "p"}
    b: dict[str, JsonValue] = {"name": "b", "prompt": "p"}
    c: dict[str, JsonValue] = {"name": "c"}
    d: dict[str, JsonValue] = {"name": "c", "prompt": "p"}
    for steps in ([b, a], [a], [a, b, c], [a, d]):
        (change,) = list_setting_changes(build_steps(a, b), build_steps(*steps))
        assert (change.path, change.file_value, change.run_value) == ("steps", [a, b], steps)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (None, 0.2, "llm.x = 0.2 (in the file: not set)"),
        ("a", None, 'llm.x = not set (in the file: "a")'),
        (["csv"], ["psv"], 'llm.x = ["psv"] (in the file: ["csv"])'),
    ],
)
def test_a_change_in_a_line(before, after, text):
    """Both values are told as JSON, so that a text and a number cannot be taken for each other."""
    change = SettingChange(path="llm.x", file_value=before, run_value=after)
    assert render_setting_change(change) == text
    assert build_changes_record([change]) == {"set": {"llm.x": {"file": before, "run": after}}}


def test_only_what_shapes_outputs_is_theirs():
    """A change of the export says nothing about the outputs."""
    paths = ("llm.seed", "prompt", "export.formats", "promptly")
    changes = [SettingChange(path=path, file_value=1, run_value=2) for path in paths]
    assert [each.path for each in select_output_changes(changes)] == ["llm.seed", "prompt"]


def test_a_step_keeps_what_was_set_for_it():
    """Of steps, what concerns another one or another stage is no matter of a step's outputs."""
    paths = ("llm.seed", "steps.a.llm.seed", "steps.b.llm.seed", "steps.a.answer.kind", "steps")
    changes = [SettingChange(path=path, file_value=1, run_value=2) for path in paths]
    own = select_output_changes(changes, step=StepName("a"))
    assert [each.path for each in own] == ["llm.seed", "steps.a.llm.seed"]
    assert len(select_output_changes(changes)) == 3


LEAVES = st.sampled_from([None, 1, "x", [1]])
TREES = st.dictionaries(
    st.sampled_from("abc"),
    LEAVES | st.dictionaries(st.sampled_from("abc"), LEAVES, min_size=3),
    min_size=3,
)


@given(TREES, TREES)
def test_changes_lead_from_the_file_to_the_run(filed, run):
    """Applied to the file's settings, the changes give every value that the run had, and nothing is changed in place."""
    changes = list_setting_changes(filed, run)
    before = repr(filed)
    changed = apply_setting_changes(filed, [each for each in changes if each.run_value is not None])
    assert repr(filed) == before
    for change in changes:
        if change.run_value is not None:
            value: Any = changed
            for part in change.path.split("."):
                value = value[part]
            assert value == change.run_value


@pytest.mark.parametrize(
    ("is_clean", "text"),
    [
        (True, "c0ffee, clean"),
        (False, "c0ffee, with changes that were not committed"),
        (None, "c0ffee"),
    ],
)
def test_a_commit_is_told_with_what_was_not_in_it(is_clean, text):
    """A commit alone would promise files that were not the ones."""
    assert render_git_state(GitState(commit="c0ffee", is_clean=is_clean)) == text
