import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.layers import lay_over
from llm_assets.config.parsing import parse_settings
from llm_assets.config.problems import Position
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import parse_yaml
from llm_assets.errors import ConfigError

BASE = "configs/base.yaml"
OWN = "configs/own.yaml"


def lay(base: str, own: str):
    return lay_over(TaskSettings, parse_yaml(base, file=BASE), parse_yaml(own, file=OWN))


def parse(base: str, own: str) -> TaskSettings:
    return parse_settings(TaskSettings, lay(base, own))


@pytest.mark.parametrize(
    ("base", "own", "content"),
    [
        ("a: 1", "b: 2", {"a": "1", "b": "2"}),
        ("a: 1", "a: 2", {"a": "2"}),
        ("llm: {model: x, seed: 1}", "llm: {seed: 2}", {"llm": {"model": "x", "seed": "2"}}),
        (
            "export: {formats: [csv, jsonl]}",
            "export: {formats: [psv]}",
            {"export": {"formats": ["psv"]}},
        ),
        ("tags: {a: b}", "tags: {c: d}", {"tags": {"a": "b", "c": "d"}}),
        ("llm: {seed: 1}", "llm: {seed: }", {"llm": {"seed": None}}),
        ("llm: {seed: 1}", "llm:\n#  seed: 2\n", {"llm": {"seed": "1"}}),
        ("judge: {prompt: p}", "judge:", {"judge": None}),
        ("a: {b: 1}", "a: 2", {"a": "2"}),
        ("a: 1", "a: {b: 2}", {"a": {"b": "2"}}),
        ("a: 1", "# nothing", {"a": "1"}),
        ("# nothing", "a: 1", {"a": "1"}),
    ],
)
def test_blocks_are_laid_over_each_other(base, own, content):
    """Blocks are merged key by key; texts, numbers, lists and empty values replace what was there as a whole."""
    assert lay(base, own).content == content


def test_mistakes_point_at_the_file_they_stand_in():
    """Of a merged task, each mistake has the file and the line where it was made."""
    with pytest.raises(ConfigError) as caught:
        parse("prompt: p\nllm:\n  seed: many\n  top_p: 2\n", "llm:\n  top_p: 3\n  temprature: 1\n")
    lines = str(caught.value).split("\n  ")
    assert lines[0] == "configs/own.yaml has 3 problems:"
    assert [line.split(" ")[0] for line in lines[1:]] == [
        "configs/own.yaml:2:10:",
        "configs/own.yaml:3:3:",
        "configs/base.yaml:3:9:",
    ]


def test_places_of_what_is_replaced_are_forgotten():
    """A longer list below leaves nothing of itself behind a shorter one above."""
    document = lay("a: [x, y, z]\nb: {c: 1}\n", "a: [v]\nb: 2\n")
    assert document.find_position(("a", 0)) == Position(1, 5)
    assert document.find_position(("a", 2)) == Position(1, 4)
    assert document.find_position(("b", "c")) == Position(2, 4)


def test_a_chain_keeps_every_file():
    """What comes from the lowest of three files is told there."""
    low = parse_yaml("llm: {seed: x}\nprompt: p\n", file="low.yaml")
    middle = parse_yaml("llm: {top_p: 0.5}\n", file="middle.yaml")
    high = parse_yaml("description: d\n", file="high.yaml")
    document = lay_over(TaskSettings, lay_over(TaskSettings, low, middle), high)
    places = [
        document.render_place(path)
        for path in (("llm", "seed"), ("llm", "top_p"), ("description",))
    ]
    assert places == ["low.yaml:1:13", "middle.yaml:1:14", "high.yaml:1:14"]


def test_a_value_above_fills_a_gap_below():
    """What a task leaves open, a variant may say; and a variant may leave open what its task says."""
    base = "prompt: p\nllm:\n  model: !required which model\n  seed: 1\n"
    assert lay(base, "llm: {model: m}").required == {}
    assert lay(base, "llm: {seed: !required a number}").required == {
        ("llm", "model"): "which model",
        ("llm", "seed"): "a number",
    }


KEYS = st.sampled_from(["a", "b", "c"])
TREES = st.recursive(
    st.sampled_from(["x", "y", None]),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1),
    max_leaves=8,
)
BLOCKS = st.dictionaries(KEYS, TREES)


def write(tree) -> str:
    """As a flow mapping, which is YAML whatever is in it."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {write(value)}" for key, value in tree.items()) + "}"
    return tree or "null"


def list_leaves(tree, path=()):
    if not isinstance(tree, dict):
        return {path: tree}
    return {
        leaf: value
        for key, inner in tree.items()
        for leaf, value in list_leaves(inner, (*path, key)).items()
    }


@given(BLOCKS, BLOCKS)
def test_nothing_is_lost_and_the_upper_one_counts(low, high):
    """Every value above is there, and every value below that nothing above stands in the way of, with its place."""
    document = lay(write(low), write(high))
    merged, above = list_leaves(document.content), list_leaves(high)
    kept = {
        path: value
        for path, value in list_leaves(low).items()
        if not any(path[: len(own)] == own or own[: len(path)] == path for own in above)
    }
    assert merged == {**kept, **above}
    files = {path: document.render_place(path).split(":")[0] for path in merged}
    assert files == {**dict.fromkeys(kept, BASE), **dict.fromkeys(above, OWN)}
