"""Whether a block in the place of a list is about the entries it names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.gaps import list_gaps
from llm_assets.config.layers import lay_over
from llm_assets.config.parsing import parse_settings
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import YamlDocument, parse_yaml
from llm_assets.errors import ConfigError
from llm_assets_tests.config.task_texts import parse_task_document

BASE = "configs/base.yaml"
OWN = "configs/own.yaml"


def lay(base: str, own: str):
    return lay_over(TaskSettings, parse_yaml(base, file=BASE), parse_yaml(own, file=OWN))


def parse(base: str, own: str) -> TaskSettings:
    return parse_settings(TaskSettings, lay(base, own))


CHAIN = """\
llm: {model: m}
steps:
  - name: first
    prompt: a
    output_model: A
    llm: {seed: 1, model: !required which model}
  - {name: second, prompt: b, output_model: B, after: []}
"""


def read_error(base: str, own: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_task_document(lay(base, own))
    return str(caught.value)


def test_a_block_of_steps_is_about_the_steps_of_these_names():
    """What a variant says about a step is laid over that step; the others, and their order, stay."""
    settings = parse(
        CHAIN, "steps: {second: {after: [first]}, first: {llm: {model: n}, judge: {prompt: j}}}"
    )
    first, second = settings.steps
    assert first.llm is not None
    assert first.judge is not None
    assert (first.name, first.prompt, first.llm.seed, first.llm.model) == ("first", "a", 1, "n")
    assert (first.judge.prompt, second.prompt, second.after) == ("j", "b", ("first",))
    assert settings.chain[1].llm.model == "m"


@pytest.mark.parametrize(
    "own",
    [
        "steps: {}",
        "steps:\n  first:\n#    prompt: c\n",
        "steps:\n  first:\n    llm:\n#      seed: c\n  second:\n    answer:\n#      kind: text\n",
    ],
)
def test_a_step_whose_keys_are_commented_out_stays_as_it_is(own):
    """A block in which nothing stands changes nothing, neither a step nor a block inside of one."""
    given = CHAIN.replace("!required which model", "n")
    assert [step.prompt for step in parse(given, own).steps] == ["a", "b"]


def test_a_list_of_steps_replaces_them_all():
    """A variant that lists its steps has no others."""
    own = "steps: [{name: only, prompt: c, output_model: C}]"
    assert [step.name for step in parse(CHAIN, own).steps] == ["only"]
    assert lay(CHAIN, own).required == {}


@pytest.mark.parametrize(
    ("base", "own", "expected"),
    [
        (
            CHAIN,
            "steps:\n  frist: {prompt: x}\n  third:\n",
            (
                "configs/own.yaml has 2 problems:\n  configs/own.yaml:2:3: steps.frist: there is none of this name. "
                "Did you mean 'first'? There is: first, second.\n  configs/own.yaml:3:3: steps.third: there is none"
            ),
        ),
        (
            "prompt: p",
            "steps: {first: {prompt: x}}",
            "configs/own.yaml:1:9: steps.first: there is none of this name. There are no `steps`.",
        ),
        (
            CHAIN,
            "steps: {second: {promt: x}}",
            "configs/own.yaml:1:18: steps.second.promt: unknown key. Did you mean 'prompt'?",
        ),
        (
            CHAIN,
            "steps: {second: {llm: {seed: many}}}",
            "configs/own.yaml:1:30: steps.second.llm.seed: expected a whole number, got 'many'.",
        ),
        (
            CHAIN.replace("seed: 1", "seed: x"),
            "steps: {first: {llm: {model: n}}}",
            "configs/base.yaml:6:17: steps.first.llm.seed: expected a whole number, got 'x'.",
        ),
        (
            CHAIN,
            "steps: {second: {after: [frist]}, first: {llm: {model: n}}}",
            "configs/own.yaml:1:26: steps.second.after[0]: there is no step 'frist'. Did you mean 'first'?",
        ),
        (
            CHAIN,
            "steps: {second: text}",
            "configs/own.yaml:1:17: steps.second: expected a block with keys",
        ),
        (CHAIN, "steps: text", "configs/own.yaml:1:8: steps: expected a list, got 'text'."),
        (
            "steps: [{name: a, prompt: p, output_model: A}, {name: a, prompt: p, output_model: A}]",
            "steps: {a: {prompt: x}}",
            "configs/base.yaml:1:55: steps[1].name: the step in line 1 is called 'a' already.",
        ),
        (
            "steps: [{prompt: p, output_model: A}, {name: a, prompt: p, output_model: A}]",
            "steps: {a: {prompt: x}}",
            "configs/base.yaml:1:9: steps[0].name: this key is missing.",
        ),
    ],
)
def test_mistakes_about_steps_are_told_at_their_place(base, own, expected):
    """File, line and column are those where it was written, and a step is called by its name."""
    message = read_error(base.replace("!required which model", "n"), own)
    assert expected in message


def test_a_gap_in_a_step_is_filled_by_its_name():
    """A value that a step leaves open may be given by a variant, and a variant may leave one open."""
    assert lay(CHAIN, "description: d").required == {("steps", 0, "llm", "model"): "which model"}
    assert lay(CHAIN, "steps: {first: {llm: {model: n}}}").required == {}
    own = "steps: {second: {prompt: !required a file}}"
    assert lay(CHAIN, own).required[("steps", 1, "prompt")] == "a file"
    assert [gap.name for gap in list_gaps(lay(CHAIN, own))] == [
        "steps.second.prompt",
        "steps.first.llm.model",
    ]


STEP_NAMES = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=5)


def read_steps(document: YamlDocument) -> list[object]:
    assert isinstance(document.content, dict)
    steps = document.content["steps"]
    assert isinstance(steps, list)
    return [*steps]


@given(STEP_NAMES, st.sets(st.sampled_from(["a", "b", "c"])))
def test_every_entry_of_a_list_stays_in_its_place(names, chosen):
    """A block about some entries changes the first ones of these names, and moves, adds and loses none."""
    entries = [f"{{name: {name or 'null'}, prompt: p{n}}}" for n, name in enumerate(names)]
    own = ", ".join(f"{name}: {{prompt: new}}" for name in sorted(chosen & set(names)))
    document = lay(f"steps: [{', '.join(entries)}]", f"steps: {{{own}}}")
    for place, name in enumerate(names):
        is_new = name in chosen and names.index(name) == place
        prompt = "new" if is_new else f"p{place}"
        assert read_steps(document)[place] == {"name": name, "prompt": prompt}
        file = OWN if is_new else BASE
        assert document.render_place(("steps", place, "prompt")).startswith(file)
    assert len(read_steps(document)) == len(names)
