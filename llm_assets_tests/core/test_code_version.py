import pytest

from llm_assets.core.code_version import find_changed_parts, render_code_version

BEFORE = render_code_version(1, {"prompt": "a", "llm": {"model": "m"}})


def test_the_same_parts_give_the_same_version():
    """A version depends on its parts' content alone."""
    assert render_code_version(1, {"prompt": "a", "llm": {"model": "m"}}) == BEFORE
    assert find_changed_parts(BEFORE, BEFORE) == ()


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (render_code_version(1, {"prompt": "b", "llm": {"model": "m"}}), ("prompt",)),
        (render_code_version(1, {"prompt": "b", "llm": {"model": "n"}}), ("prompt", "llm")),
        (render_code_version(2, {"prompt": "a", "llm": {"model": "m"}}), ("recipe",)),
        (render_code_version(1, {"prompt": "a"}), ("llm",)),
        (render_code_version(1, {"prompt": "a", "llm": {"model": "m"}, "judge": 1}), ("judge",)),
    ],
)
def test_a_change_is_told_by_its_parts(now: str, changed: tuple[str, ...]):
    """Two versions say which parts differ, came or went, and no other."""
    assert find_changed_parts(BEFORE, now) == changed


@pytest.mark.parametrize("recorded", [None, "", "3f2a", "9"])
def test_a_record_without_parts_is_another_recipe(recorded: str | None):
    """What was made by a version that named no parts is made anew."""
    assert "recipe" in find_changed_parts(recorded, BEFORE)
